// Filters the requirements, leads to what is linked to, and unfolds everything for paper. The page can be read without it.
(() => {
  "use strict";
  const filter = document.getElementById("filter");
  const rows = [...document.querySelectorAll("table.requirements tbody tr")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const chosen = (name) => filter.querySelector(`input[name="${name}"]:checked`).value;

  function apply() {
    const verdict = chosen("verdict");
    const level = chosen("level");
    const area = filter.querySelector("#area").value;
    const words = filter.querySelector("#words").value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const fits =
        (!verdict || row.dataset.verdict === verdict) &&
        (!level || row.dataset.level === level) &&
        (!area || row.dataset.area === area) &&
        words.every((word) => texts.get(row).includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    for (const table of document.querySelectorAll("table.requirements")) {
      table.hidden = !table.querySelector("tbody tr:not([hidden])");
    }
    const all = `${rows.length} requirement${rows.length === 1 ? "" : "s"}`;
    filter.querySelector("#shown").textContent = shown === rows.length ? all : `${shown} of ${all}`;
  }

  function clear() {
    for (const input of filter.querySelectorAll('input[type="radio"]')) input.checked = input.value === "";
    filter.querySelector("#area").value = "";
    filter.querySelector("#words").value = "";
    apply();
  }

  // What is linked to is shown, though the filter hides it.
  function arrive() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target?.closest("[hidden]")) return;
    clear();
    target.scrollIntoView();
  }

  if (filter) {
    filter.hidden = false;
    filter.addEventListener("input", apply);
    addEventListener("hashchange", arrive);
  }

  // Browsers whose style sheets cannot do it get it done for them.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
