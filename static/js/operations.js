// The changes by hand, the latest first, each with its undo. Whether one can still be
// undone depends on all that came after it, so the list is fetched anew when it changes.
import { getJSON, NoAnswer } from "./api.js";

const SHOWN = 20;
const GATHER_MS = 300;
const RETRY_MS = 3000;

export class Operations {
  constructor(id, clock) {
    this.url = `/api/v1/class-sessions/${id}/operations/?page_size=${SHOWN}`;
    this.clock = clock;
    this.list = document.getElementById("operations");
    this.template = document.getElementById("operation").content.firstElementChild;
    this.labels = JSON.parse(document.getElementById("labels").textContent);
  }

  // Soon, and once for several changes in a row.
  refresh(delay = GATHER_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), delay);
  }

  async fetch() {
    const turn = (this.turn = {});
    try {
      const { results } = await getJSON(this.url);
      // What has been asked for later is newer.
      if (turn !== this.turn) return;
      this.list.replaceChildren(...results.map((operation) => this.make(operation)));
      document.getElementById("changes-count").textContent = results.length;
    } catch (error) {
      if (error instanceof NoAnswer) this.refresh(RETRY_MS);
    }
  }

  make(operation) {
    const item = this.template.cloneNode(true);
    const words = {
      clock: this.clock.seconds(new Date(operation.timestamp)),
      sentence: this.sentence(operation),
      by: by(operation),
    };
    for (const [field, text] of Object.entries(words)) {
      item.querySelector(`[data-field="${field}"]`).textContent = text;
    }
    item.querySelector("time").setAttribute("datetime", operation.timestamp);
    const undo = item.querySelector("button");
    if (operation.is_undoable) undo.setAttribute("value", operation.operation_id);
    else undo.remove();
    return item;
  }

  // The same sentences as display.operation_sentence() on the server.
  sentence({ event, new_status: status, student_name: name, student_count: number }) {
    const whom = name ?? plural(number);
    const label = status ? this.labels.statuses[status] : "";
    if (event === "undo") return `Undone for ${whom}${label && `, again ${label}`}`;
    return `${whom} marked ${label}${event === "auto_close" ? " on closing" : ""}`;
  }
}

function by({ event, actor, reason }) {
  return event === "auto_close" ? `by ${actor.name}` : `by ${actor.name}: ${reason}`;
}

export const plural = (number) => `${number} student${number === 1 ? "" : "s"}`;
