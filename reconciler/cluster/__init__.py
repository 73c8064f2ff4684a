"""Reading on several machines: tasks for the workers of a Dask cluster, and the coordinator that hands them out."""
