"""The words and figures of outcomes, which text and Markdown share. What comes from outside is not made safe here."""

from __future__ import annotations

from reconciler.model.time import iso
from reconciler.platforms.outcomes import Arm, Conclusion, ExperimentResult
from reconciler.report.words import counted


def headline(result: ExperimentResult) -> str:
    """Give the outcome in one sentence without a full stop; what it says of a winner names the arm."""
    match result.conclusion:
        case Conclusion.WINNER:
            return _winner(result)
        case Conclusion.NO_DIFFERENCE:
            return f"no winner{_so_far(result)}, and no practical difference: {_visible(result)} would have been seen"
        case Conclusion.NO_WINNER:
            seen = _visible(result)
            return "no winner" + _so_far(result) + (f": only {seen} could be seen" if seen else "")
        case Conclusion.NOT_READY:
            return "not ready yet"
        case Conclusion.NOT_SHOWN:
            return "no winner is shown by the platform"
        case Conclusion.GONE:
            return "gone from the platform"
        case Conclusion.NOT_CREATED:
            return "not created yet"
        case Conclusion.UNKNOWN:
            return "unknown"


def schedule(result: ExperimentResult) -> str:
    """Give start and end as people and programs both read them; empty where neither is known."""
    if result.start is None and result.end is None:
        return ""
    start = iso(result.start) if result.start else "not started"
    return f"{start} to {iso(result.end)}" if result.end else f"{start}, no end" if result.start else start


def basis(result: ExperimentResult) -> str:
    """Give what the figures rest on: p-value, smallest visible difference, and the day up to which data count."""
    found = result.statistics
    if found is None:
        return ""
    parts = []
    if found.p_value is not None:
        parts.append(f"p-value {_p_value(found.p_value)}")
    if found.minimum_detectable_effect is not None:
        parts.append(f"smallest difference that shows {percent(found.minimum_detectable_effect)}")
    if found.generated_on is not None:
        parts.append(f"data up to {found.generated_on.isoformat()}")
    return ", ".join(parts)


def interval_title(result: ExperimentResult) -> str:
    """Give the heading of the intervals: `CPC, 90 % confidence interval`."""
    found = result.statistics
    confidence = f"{found.confidence} % confidence" if found and found.confidence is not None else "confidence"
    metric = f"{found.metric}, " if found and found.metric else ""
    return f"{metric}{confidence} interval"


def arm_name(arm: Arm) -> str:
    """Give an arm's name; an arm without one goes by its first entity."""
    return arm.name or (arm.entities[0] if arm.entities else "")


def percent(share: float) -> str:
    """Give a relative number in percent, at most two decimals."""
    return f"{number(round(share * 100, 2))} %"


def number(value: float) -> str:
    """Give a number as people write it: no exponent where that can be helped, no zeros at its end."""
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.4g}"
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def summary(results: tuple[ExperimentResult, ...]) -> str:
    """Give how many experiments came out how, in one sentence."""
    if not results:
        return "Nothing is managed yet; apply creates what the manifests say, import takes over what is live."
    parts = [counted(len(results), "experiment")]
    for conclusion, words in (
        (Conclusion.WINNER, "with a winner"),
        (Conclusion.NO_DIFFERENCE, "without a practical difference"),
        (Conclusion.NO_WINNER, "without a winner"),
        (Conclusion.NOT_READY, "not ready yet"),
        (Conclusion.NOT_SHOWN, "on platforms that show no winner"),
        (Conclusion.GONE, "gone"),
        (Conclusion.NOT_CREATED, "not created yet"),
        (Conclusion.UNKNOWN, "unknown"),
    ):
        count = sum(result.conclusion is conclusion for result in results)
        if count:
            parts.append(f"{count:,} {words}")
    return f"{parts[0]}: {', '.join(parts[1:])}."


def _p_value(value: float) -> str:
    """Give a p-value with the two decimals that LinkedIn keeps, or as it is where it has more."""
    return f"{value:.2f}" if round(value, 2) == value else number(value)


def _winner(result: ExperimentResult) -> str:
    won = result.winner
    found = result.statistics
    name = arm_name(won) if won else ""
    about = f" ({result.entity_word} {', '.join(won.entities)})" if won and won.name and won.entities else ""
    sure = f" at {found.confidence} % confidence" if found and found.confidence is not None else ""
    return f"{result.arm_word} {name}{about} wins{_so_far(result)}{sure}"


def _so_far(result: ExperimentResult) -> str:
    return " so far" if result.statistics and result.statistics.preliminary else ""


def _visible(result: ExperimentResult) -> str:
    effect = result.statistics.minimum_detectable_effect if result.statistics else None
    return f"a difference of {percent(effect)} or more" if effect is not None else ""
