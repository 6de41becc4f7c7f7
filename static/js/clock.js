// Times exactly as attendance/pages/display.py writes them on the server.

export class Clock {
  constructor(timeZone) {
    try {
      this.format = formatIn(timeZone);
    } catch {
      // A zone that this browser has never heard of: better UTC than nothing.
      this.format = formatIn("UTC");
    }
  }

  parts(at) {
    const parts = this.format.formatToParts(at);
    return Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  }

  // 09:03:11
  seconds(at) {
    const { hour, minute, second } = this.parts(at);
    return `${hour}:${minute}:${second}`;
  }

  // 09:03
  minutes(at) {
    const { hour, minute } = this.parts(at);
    return `${hour}:${minute}`;
  }

  // Tue 1 Sep 2026
  day(at) {
    const { weekday, day, month, year } = this.parts(at);
    return `${weekday} ${day} ${month} ${year}`;
  }

  period(startsAt, endsAt) {
    const [first, last] = [this.day(startsAt), this.day(endsAt)];
    const [start, end] = [this.minutes(startsAt), this.minutes(endsAt)];
    return first === last
      ? `${first}, ${start}–${end}`
      : `${first}, ${start} – ${last}, ${end}`;
  }
}

function formatIn(timeZone) {
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}
