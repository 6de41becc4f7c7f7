// Says arrivals to screen readers: one sentence for what came within a few seconds.

const GATHER_MS = 3000;
const NAMED = 3;

export class Announcer {
  constructor(element, labels) {
    this.element = element;
    this.labels = labels;
    this.waiting = [];
  }

  arrived(record) {
    this.waiting.push(record);
    this.timer ??= setTimeout(() => this.speak(), GATHER_MS);
  }

  speak() {
    const named = this.waiting
      .slice(0, NAMED)
      .map((r) => `${r.student_name}: ${this.labels.statuses[r.attendance_status]}`);
    const more = this.waiting.length - named.length;
    this.element.textContent = named.join(", ") + (more ? ` and ${more} more.` : ".");
    this.waiting = [];
    this.timer = undefined;
  }
}
