// The counts of a class session, wherever the page shows them, and the bar. They are
// counted from what each student on the roster is, so that they always equal the rows,
// whoever came or went in whatever order.

const ORDER = ["present", "late", "excused", "absent", "unmarked"];
const BAR_WIDTH = 1000;

export class Counts {
  // statuses: Map from student to status, as the page shows them at first.
  constructor(root, statuses) {
    this.root = root;
    this.statuses = statuses;
  }

  reset(records) {
    this.statuses.clear();
    for (const record of records) this.put(record);
  }

  put(record) {
    this.statuses.set(record.student_id, record.attendance_status);
  }

  remove(studentId) {
    this.statuses.delete(studentId);
  }

  show() {
    const values = Object.fromEntries(ORDER.map((status) => [status, 0]));
    for (const status of this.statuses.values()) values[status] += 1;
    const here = values.present + values.late;
    const shown = { ...values, here, enrolled: this.statuses.size };
    for (const slot of this.root.querySelectorAll("[data-count]")) {
      slot.textContent = shown[slot.dataset.count];
    }
    this.showBar(values);
  }

  // The same whole numbers as display.tiles() on the server.
  showBar(values) {
    const total = Math.max(1, this.statuses.size);
    let before = 0;
    for (const status of ORDER) {
      const start = Math.floor((BAR_WIDTH * before) / total);
      before += values[status];
      const segment = this.root.querySelector(`[data-bar="${status}"]`);
      segment.setAttribute("x", start);
      segment.setAttribute("width", Math.floor((BAR_WIDTH * before) / total) - start);
    }
  }
}
