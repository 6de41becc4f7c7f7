// The counts of a class session, wherever the page shows them, and the bar. Counts
// derive from the records: each changed one says what it was before.

const ORDER = ["present", "late", "excused", "absent", "unmarked"];
const BAR_WIDTH = 1000;

export class Counts {
  constructor(root) {
    this.root = root;
    this.values = { enrolled: this.read("enrolled") };
    for (const status of ORDER) this.values[status] = this.read(status);
  }

  read(name) {
    return Number(this.root.querySelector(`[data-count="${name}"]`)?.textContent ?? 0);
  }

  set(values) {
    this.values = { ...values };
    this.show();
  }

  change(record) {
    this.values[record.old_status] -= 1;
    this.values[record.attendance_status] += 1;
  }

  come() {
    this.values.enrolled += 1;
    this.values.unmarked += 1;
  }

  go() {
    this.values.enrolled -= 1;
    this.values.unmarked -= 1;
  }

  show() {
    const shown = { ...this.values, here: this.values.present + this.values.late };
    for (const slot of this.root.querySelectorAll("[data-count]")) {
      slot.textContent = shown[slot.dataset.count];
    }
    this.showBar();
  }

  // The same whole numbers as display.tiles() on the server.
  showBar() {
    const total = Math.max(1, ORDER.reduce((sum, status) => sum + this.values[status], 0));
    let before = 0;
    for (const status of ORDER) {
      const start = Math.floor((BAR_WIDTH * before) / total);
      before += this.values[status];
      const segment = this.root.querySelector(`[data-bar="${status}"]`);
      segment.setAttribute("x", start);
      segment.setAttribute("width", Math.floor((BAR_WIDTH * before) / total) - start);
    }
  }
}
