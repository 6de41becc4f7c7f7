// What the page shows of the class session itself: state, heading, QR and digits.
import { getJSON } from "./api.js";

const STATES = { scheduled: "Scheduled", open: "Open", closed: "Closed" };
const RETRY_MS = 2000;

export class Board {
  constructor(root, clock) {
    this.root = root;
    this.clock = clock;
    this.id = root.dataset.live;
    this.qr = document.getElementById("qr");
    this.code = this.digits("first") + this.digits("second") || null;
  }

  digits(group) {
    return document.getElementById(`code-${group}`).textContent.trim();
  }

  show(session) {
    this.root.dataset.state = session.state;
    const state = document.getElementById("state");
    if (state) {
      state.dataset.state = session.state;
      state.textContent = STATES[session.state];
    }
    const [startsAt, endsAt] = [new Date(session.starts_at), new Date(session.ends_at)];
    const words = {
      class_name: session.class_name,
      title: session.title || "Class session",
      location: session.location,
      when: this.clock.period(startsAt, endsAt),
      late_rule: this.lateRule(session, startsAt),
    };
    for (const slot of this.root.querySelectorAll("[data-slot]")) {
      slot.textContent = words[slot.dataset.slot];
    }
    // A new code means new QR tokens, and the other way round.
    if (session.verification_code !== this.code) this.showCode(session.verification_code);
  }

  // The same sentence as display.late_rule() on the server.
  lateRule(session, startsAt) {
    const after = (minutes) => this.clock.minutes(new Date(startsAt.getTime() + minutes * 60_000));
    const onTime = `On time until ${after(session.grace_minutes)}`;
    if (!session.allow_late_check_in) return `${onTime}, no check-in afterwards`;
    if (session.late_cutoff_minutes === null) return `${onTime}, late afterwards`;
    return `${onTime}, late until ${after(session.late_cutoff_minutes)}`;
  }

  showCode(code) {
    this.code = code;
    document.getElementById("code-first").textContent = code?.slice(0, 3) ?? "";
    document.getElementById("code-second").textContent = code?.slice(3) ?? "";
    // The old picture would only lead students to a refusal.
    this.showPicture("", "");
    if (code) this.loadPicture(code);
  }

  async loadPicture(code) {
    try {
      const answer = await getJSON(`/api/v1/class-sessions/${this.id}/qr/`);
      // Replaced or closed meanwhile: the message about that is on its way.
      if (this.code === code) this.showPicture(answer.svg, answer.url);
    } catch (error) {
      if (!error.status) setTimeout(() => this.code === code && this.loadPicture(code), RETRY_MS);
    }
  }

  showPicture(svg, url) {
    this.qr.innerHTML = svg;
    const link = document.getElementById("share-link");
    if (link) link.setAttribute("value", url);
  }
}
