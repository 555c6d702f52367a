"use strict";
// Sorts and filters the table of questions. It reads text and writes none but a count, so no data becomes markup.
(() => {
  const table = document.getElementById("questions");
  if (!table) return;
  const [search, fate, count] = ["search", "fate", "count"].map((id) => document.getElementById(id));
  const rows = [...table.tBodies];
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    for (const row of rows) {
      row.hidden = !words.get(row).includes(wanted) || (fate.value !== "" && row.dataset.fate !== fate.value);
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  }

  function sort(heading, column) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const key = (row) => { const cell = row.rows[0].cells[column]; return cell.dataset.order ?? cell.textContent; };
    const order = new Intl.Collator(undefined, { numeric: true }).compare;
    for (const other of heading.parentNode.cells) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.sort((one, two) => order(key(one), key(two)) * (down ? -1 : 1));
    table.append(...rows);
  }

  search.addEventListener("input", filter);
  fate.addEventListener("change", filter);
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => sort(heading, column));
  });
  document.getElementById("controls").hidden = false;
  filter();
})();
