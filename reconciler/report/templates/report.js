(() => {
  "use strict";
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const cards = all(".card");
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const none = document.querySelector(".none");
  const texts = new Map();
  const textOf = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const seen = (card) => card.getClientRects().length > 0;
  const sift = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of cards) card.hidden = !words.every((word) => textOf(card).includes(word));
    const left = cards.filter(seen).length;
    shown.textContent = left === cards.length ? "" : left + " of " + cards.length + " shown";
    none.hidden = left > 0;
  };
  const unfilter = () => {
    find.value = "";
    all("#fa-all, #fp-all").forEach((item) => { item.checked = true; });
    sift();
  };
  const openTarget = () => {
    const found = location.hash && document.getElementById(location.hash.slice(1));
    if (!found || found.tagName !== "DETAILS") return;
    if (find && !seen(found)) unfilter();
    found.open = true;
    found.scrollIntoView();
    found.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", openTarget);
  addEventListener("load", openTarget);
  all("a[href^='#e']").forEach((link) => link.addEventListener("click", () => {
    if (link.hash === location.hash) openTarget();
  }));
  all(".row[data-go]").forEach((row) => row.addEventListener("click", () => {
    if (location.hash === "#" + row.dataset.go) openTarget();
    else location.hash = row.dataset.go;
  }));
  let folded = [];
  addEventListener("beforeprint", () => {
    if (document.body.classList.contains("long")) return;
    folded = all(".card:not([open]), .card details:not([open]), .rest:not([open])");
    folded.forEach((item) => { item.open = true; });
  });
  addEventListener("afterprint", () => {
    folded.forEach((item) => { item.open = false; });
    folded = [];
  });
  if (!find) return;
  document.querySelector(".tools").hidden = false;
  let timer = 0;
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(sift, 80); });
  all(".filters input[type=radio]").forEach((item) => item.addEventListener("change", sift));
  if (find.value || all("#fa-all, #fp-all").some((item) => !item.checked)) sift();
  const fold = (open) => cards.filter(seen).forEach((card) => { card.open = open; });
  document.getElementById("unfold").addEventListener("click", () => fold(true));
  document.getElementById("fold").addEventListener("click", () => fold(false));
})();
