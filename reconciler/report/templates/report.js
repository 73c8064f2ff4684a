(() => {
  "use strict";
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const cards = all(".card");
  const openTarget = () => {
    const found = location.hash && document.getElementById(location.hash.slice(1));
    if (found && found.tagName === "DETAILS") {
      found.open = true;
      found.scrollIntoView();
      const summary = found.querySelector("summary");
      if (summary) summary.focus();
    }
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((item) => { item.open = true; });
  });
  addEventListener("afterprint", () => { folded.forEach((item) => { item.open = false; }); });
  const tools = document.querySelector(".tools");
  if (!tools) return;
  tools.hidden = false;
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const texts = new Map();
  const textOf = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const sift = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of cards) card.hidden = !words.every((word) => textOf(card).includes(word));
    const left = cards.filter((card) => card.getClientRects().length > 0).length;
    shown.textContent = left === cards.length ? "" : left + " of " + cards.length + " shown";
  };
  let timer = 0;
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(sift, 80); });
  all(".filters input[type=radio]").forEach((item) => item.addEventListener("change", sift));
  const fold = (open) => cards.forEach((card) => { card.open = open; });
  document.getElementById("unfold").addEventListener("click", () => fold(true));
  document.getElementById("fold").addEventListener("click", () => fold(false));
})();
