// Finding and selecting students on the roster.
import { textOf } from "./roster.js";

export class Selection {
  constructor(roster) {
    this.roster = roster;
    this.all = document.getElementById("pick-all");
    this.search = document.getElementById("roll-search");
    this.status = document.getElementById("roll-status");
    this.panel = document.getElementById("bulk-panel");
    document.getElementById("roll-tools").hidden = false;
    this.all.parentElement.hidden = false;
    this.search.addEventListener("input", () => this.filter());
    this.status.addEventListener("change", () => this.filter());
    document.getElementById("roll-clear").addEventListener("click", () => {
      this.search.value = this.status.value = "";
      this.filter();
      this.search.focus();
    });
    document.getElementById("conflicts-show").addEventListener("click", () => {
      this.search.value = "";
      this.status.value = "conflict";
      this.filter();
      this.status.focus();
    });
    this.all.addEventListener("change", () => {
      for (const row of this.shown()) box(row).checked = this.all.checked;
      this.count();
    });
    roster.body.addEventListener("change", () => this.count());
    // What a browser kept of the form over a reload.
    this.filter();
    this.count();
  }

  shown() {
    return [...this.roster.rows.values()].filter((row) => !row.hidden);
  }

  ids() {
    const picked = [...this.roster.rows].filter(([, row]) => box(row).checked);
    return picked.map(([id]) => id);
  }

  clear() {
    for (const row of this.roster.rows.values()) box(row).checked = false;
    this.all.checked = false;
    this.count();
  }

  count() {
    const number = this.ids().length;
    const badge = document.getElementById("picked");
    badge.textContent = `${number} selected`;
    badge.hidden = number === 0;
    if (number) {
      this.panel.open = true;
      document.querySelector("#bulk [name=scope]").value = "selected";
    }
  }

  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    const status = this.status.value;
    let found = 0;
    for (const row of this.roster.rows.values()) {
      const fits =
        textOf(row, "name").toLowerCase().includes(wanted) &&
        (!status || row.dataset.status === status || isInConflict(row, status));
      row.hidden = !fits;
      found += fits;
    }
    const filtering = Boolean(wanted || status);
    document.getElementById("roll-none").hidden = found > 0 || this.roster.rows.size === 0;
    document.getElementById("roll-found").textContent = filtering ? `${found} shown` : "";
  }
}

function isInConflict(row, status) {
  return status === "conflict" && row.querySelector("[data-conflict]") !== null;
}

function box(row) {
  return row.querySelector("[name=student_ids]");
}
