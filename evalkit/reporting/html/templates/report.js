// Sorts and filters the table of attempts; the place is kept in the address, so that it can be
// passed on and outlives a reload.
"use strict";
(function () {
  var table = document.getElementById("table");
  var body = table.tBodies[0];
  var headings = Array.from(table.tHead.rows[0].cells);
  var rows = Array.from(body.rows);
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  var words = document.getElementById("words");
  var outcome = document.getElementById("outcome");
  var shown = document.getElementById("shown");

  function value(row, column) {
    var text = row.cells[column].textContent;
    if (!headings[column].classList.contains("n")) { return text.toLowerCase(); }
    var part = text.replace(/,/g, "").split("/");
    if (part[0] === "") { return -1; }
    return part.length === 2 ? Number(part[0]) / Math.max(1, Number(part[1])) : Number(part[0]);
  }

  function sort(column, descending) {
    var keys = new Map(rows.map(function (row) { return [row, value(row, column)]; }));
    var sign = descending ? -1 : 1;
    var ordered = rows.slice().sort(function (a, b) {
      var x = keys.get(a), y = keys.get(b);
      return x < y ? -sign : x > y ? sign : 0;
    });
    headings.forEach(function (heading, index) {
      if (index === column) {
        heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      } else {
        heading.removeAttribute("aria-sort");
      }
    });
    body.append.apply(body, ordered);
  }

  function filter() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    var count = 0;
    rows.forEach(function (row, index) {
      var fits = (!outcome.value || row.dataset.o === outcome.value) &&
        wanted.every(function (word) { return texts[index].includes(word); });
      row.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = count === rows.length
      ? count.toLocaleString("en") + " attempts"
      : count.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " attempts";
  }

  function keep() {
    var sorted = headings.findIndex(function (heading) { return heading.hasAttribute("aria-sort"); });
    var place = new URLSearchParams();
    if (words.value) { place.set("words", words.value); }
    if (outcome.value) { place.set("outcome", outcome.value); }
    if (sorted >= 0) {
      place.set("sort", sorted);
      place.set("order", headings[sorted].getAttribute("aria-sort"));
    }
    history.replaceState(null, "", "#" + place);
  }

  function restore() {
    var place = new URLSearchParams(location.hash.slice(1));
    words.value = place.get("words") || "";
    outcome.value = place.get("outcome") || "";
    if (outcome.selectedIndex < 0) { outcome.value = ""; }
    var column = Number(place.get("sort") || -1);
    if (headings[column]) { sort(column, place.get("order") === "descending"); }
    filter();
  }

  headings.forEach(function (heading, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", function () {
      var was = heading.getAttribute("aria-sort");
      // Of numbers the greatest are asked for first.
      var descending = was ? was === "ascending" : heading.classList.contains("n");
      sort(column, descending);
      keep();
    });
    heading.replaceChildren(button);
  });
  words.form.hidden = false;
  words.form.addEventListener("submit", function (event) { event.preventDefault(); });
  words.addEventListener("input", function () { filter(); keep(); });
  outcome.addEventListener("change", function () { filter(); keep(); });
  if (location.hash) { restore(); }

  if ("live" in document.documentElement.dataset) {
    setInterval(function () {
      if (document.activeElement !== words && !document.hidden) { location.reload(); }
    }, 10000);
  }
})();
