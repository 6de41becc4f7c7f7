// The roster's rows. Each is a clone of the partial that the server renders too
// (templates/class_sessions/_row.html), filled from a Record: a row that arrived live
// is the row that a reload would show.
import { compareRecords } from "./order.js";

const HIGHLIGHT_MS = 2400;

export class Roster {
  constructor(body, template, { labels, clock }) {
    this.body = body;
    this.template = template.content.firstElementChild;
    this.labels = labels;
    this.clock = clock;
    this.rows = new Map();
    for (const row of body.children) this.rows.set(Number(row.dataset.student), row);
  }

  statuses() {
    return new Map([...this.rows].map(([id, row]) => [id, row.dataset.status]));
  }

  // What the page has seen of each student: a bulk mark overwrites nothing else.
  versions() {
    return Object.fromEntries([...this.rows].map(([id, row]) => [id, Number(row.dataset.version)]));
  }

  // Every row anew from a snapshot: rows that stay keep their focus and their tick.
  reset(records) {
    const wanted = new Set(records.map((record) => record.student_id));
    for (const id of [...this.rows.keys()]) if (!wanted.has(id)) this.remove(id);
    let previous = null;
    for (const record of records) {
      const row = this.rows.get(record.student_id) ?? this.make(record);
      if (Number(row.dataset.version) !== record.version) this.highlight(row);
      this.fill(row, record);
      const expected = previous ? previous.nextElementSibling : this.body.firstElementChild;
      if (row !== expected) this.body.insertBefore(row, expected);
      previous = row;
    }
  }

  // One changed Record; a student who was not there comes in at the right place.
  put(record) {
    let row = this.rows.get(record.student_id);
    if (!row) {
      row = this.make(record);
      this.body.insertBefore(row, this.placeFor(record));
    }
    this.fill(row, record);
    this.highlight(row);
  }

  remove(studentId) {
    this.rows.get(studentId)?.remove();
    this.rows.delete(studentId);
  }

  make(record) {
    const row = this.template.cloneNode(true);
    this.rows.set(record.student_id, row);
    return row;
  }

  placeFor(record) {
    for (const row of this.body.children) {
      if (compareRecords(record, recordOf(row)) < 0) return row;
    }
    return null;
  }

  fill(row, record) {
    const status = record.attendance_status;
    row.dataset.student = record.student_id;
    row.dataset.status = status;
    row.dataset.version = record.version;
    row.querySelector(".status").dataset.status = status;
    row.querySelector("[name=student_ids]").setAttribute("value", record.student_id);
    for (const link of row.querySelectorAll("a")) {
      const href = link.getAttribute("href");
      link.setAttribute("href", href.replace(/\d+\/$/, `${record.student_id}/`));
    }
    const at = record.check_in_time;
    const words = {
      name: record.student_name,
      reason: record.override_reason ?? "",
      notes: record.notes,
      status: this.labels.statuses[status],
      late: record.late_minutes ? `${record.late_minutes} min` : "",
      time: at ? this.clock.seconds(new Date(at)) : "",
      method: this.labels.methods[record.verification_method] ?? "",
    };
    for (const [field, text] of Object.entries(words)) {
      for (const slot of row.querySelectorAll(`[data-field="${field}"]`)) {
        if (slot.textContent !== text) slot.textContent = text;
        if (field === "time") slot.setAttribute("datetime", at ?? "");
      }
    }
  }

  highlight(row) {
    row.classList.add("changed");
    clearTimeout(row.highlightTimer);
    row.highlightTimer = setTimeout(() => {
      row.classList.remove("changed");
      if (!row.classList.length) row.removeAttribute("class");
    }, HIGHLIGHT_MS);
  }
}

export function textOf(row, field) {
  return row.querySelector(`[data-field="${field}"]`).textContent;
}

function recordOf(row) {
  return {
    student_name: textOf(row, "name"),
    student_id: Number(row.dataset.student),
  };
}
