// Marks against which somebody has said something since: shown on their rows, with a
// button for each side. They are no messages, so they are looked up whenever a heartbeat
// says that there is a newer one. A later version of the row means that it is over.
import { getJSON, NoAnswer } from "./api.js";

const RETRY_MS = 2000;

export class Conflicts {
  constructor(root, roster, { labels, clock }) {
    this.root = root;
    this.url = `/api/v1/class-sessions/${root.dataset.live}/conflicts/?page_size=500`;
    this.byAdministrator = "administrator" in root.dataset;
    this.roster = roster;
    this.labels = labels;
    this.clock = clock;
    this.template = document.getElementById("conflict").content.firstElementChild;
    this.listed = null;
  }

  // newest: the number in a heartbeat; undefined while there never was a conflict.
  heard(newest) {
    if (String(newest ?? "") !== this.root.dataset.overruled) this.look(newest);
  }

  async look(newest) {
    clearTimeout(this.timer);
    const turn = (this.turn = {});
    try {
      const { results } = await getJSON(this.url);
      if (turn !== this.turn) return;
      this.listed = new Map(results.map((conflict) => [conflict.student_id, conflict]));
      this.root.dataset.overruled = newest ?? "";
      this.show();
    } catch (error) {
      if (error instanceof NoAnswer) this.timer = setTimeout(() => this.look(newest), RETRY_MS);
    }
  }

  // After rows have changed. Until something was looked up, what the server rendered
  // can only be over, never new.
  show() {
    for (const [id, row] of this.roster.rows) {
      const shown = row.querySelector("[data-conflict]");
      const conflict = this.listed?.get(id);
      const version = Number(row.dataset.version);
      if (conflict?.version === version) {
        const fresh = this.make(conflict);
        if (!shown) row.querySelector(".cell-name").append(fresh);
        else if (!shown.isEqualNode(fresh)) shown.replaceWith(fresh);
      } else if (this.listed || Number(shown?.dataset.conflict) !== version) {
        shown?.remove();
      }
    }
    const number = this.roster.body.querySelectorAll("[data-conflict]").length;
    const note = document.getElementById("conflicts-note");
    note.hidden = number === 0;
    note.querySelector("strong").textContent = number;
  }

  make({ student_id: studentId, version, standing, overruled }) {
    const element = this.template.cloneNode(true);
    const [keep, accept] = [standing, overruled].map(
      (side) => this.labels.statuses[side.attendance_status],
    );
    const words = { conflict: this.sentence(standing, overruled, keep, accept), keep, accept };
    element.dataset.conflict = version;
    for (const [field, text] of Object.entries(words)) {
      element.querySelector(`[data-field="${field}"]`).textContent = text;
    }
    for (const button of element.querySelectorAll("button")) {
      const side = button.value.split(":")[0];
      button.setAttribute("value", `${side}:${studentId}:${version}`);
      if (side === "accept" && standing.source === "administrator" && !this.byAdministrator) {
        button.previousSibling.remove();
        button.remove();
      }
    }
    return element;
  }

  // The same sentence as display.conflict_words() on the server.
  sentence(standing, overruled, keep, accept) {
    const by = this.labels.sources[standing.source];
    const at = this.clock.seconds(new Date(overruled.timestamp));
    const but =
      overruled.source === "student"
        ? `checked in as ${accept} at ${at}`
        : `${overruled.actor.name} says ${accept}`;
    return `Marked ${keep} by ${by}, but ${but}.`;
  }
}
