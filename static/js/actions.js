// The live page's forms, sent without leaving the page. What they change arrives over
// the live stream like everybody else's changes; nothing is drawn here.
import { post } from "./api.js";
import { NO_NETWORK, say } from "./messages.js";
import { plural } from "./operations.js";
import { textOf } from "./roster.js";

function call(id, name, data, form) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  return post(`/api/v1/class-sessions/${id}/${name}/`, data, token);
}

// Says what was done, and offers to take it back where that is possible.
function done(id, text, operationId) {
  const undo = { label: "Undo", run: () => undoOperation(id, operationId) };
  say(text, "success", operationId ? undo : null);
}

function undoOperation(id, operationId) {
  const form = document.getElementById("undo");
  once(form, async () => {
    const { body } = await call(id, "undo", { operation_id: operationId }, form);
    // The same sentence as display.undo_sentence() on the server.
    const left = body.not_restored_count;
    const but = left
      ? ` ${plural(left)} left as they are: changed since, or marked by an administrator.`
      : "";
    say(`Undone for ${plural(body.restored_count)}.${but}`);
  });
}

// One request at a time from each form, however often it is clicked.
async function once(form, work) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  try {
    await work();
  } catch (error) {
    say(error.status ? error.message : NO_NETWORK, "error");
  } finally {
    delete form.dataset.busy;
  }
}

// open, close, reopen, rotate-code
export function wireStateForms(id, forms) {
  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      once(form, async () => {
        await call(id, form.dataset.api, {}, form);
        form.closest("details")?.removeAttribute("open");
        say(form.dataset.done);
      });
    });
  }
}

export function wireBulk(id, form, selection) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { scope, operation, reason } = Object.fromEntries(new FormData(form));
    // Whoever has changed since this click is left alone.
    const versions = selection.roster.versions();
    const data = { operation, reason, only_unmarked: scope === "unmarked", versions };
    if (scope === "selected") {
      data.student_ids = selection.ids();
      if (!data.student_ids.length) {
        say("Select at least one student.", "error");
        return;
      }
    }
    once(form, async () => {
      const { body, operationId } = await call(id, "bulk", data, form);
      // The same sentence as display.bulk_sentence() on the server.
      const failed = body.failed_count;
      const but = failed
        ? ` ${plural(failed)} left alone: changed meanwhile, or marked by an administrator.`
        : "";
      const marked = `${plural(body.processed_count)} marked, ${body.unchanged_count} unchanged.`;
      done(id, marked + but, operationId);
      selection.clear();
      form.elements.reason.value = "";
    });
  });
}

export function wireOverride(id, body, labels) {
  const dialog = document.getElementById("override");
  const form = document.getElementById("override-form");
  const problem = document.getElementById("override-error");
  let studentId, version;

  body.addEventListener("click", (event) => {
    const link = event.target.closest("[data-change]");
    // With a modifier key it is a link like any other.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const row = link.closest("tr");
    studentId = Number(row.dataset.student);
    version = Number(row.dataset.version);
    form.reset();
    problem.hidden = true;
    document.getElementById("override-name").textContent = textOf(row, "name");
    document.getElementById("override-history").href = link.href;
    const current = form.querySelector(`[name=status][value="${row.dataset.status}"]`);
    if (current) current.checked = true;
    form.elements.reason.value = textOf(row, "reason");
    form.elements.notes.value = textOf(row, "notes");
    dialog.showModal();
    (current ?? form.elements.status[0]).focus();
  });

  document.getElementById("override-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { status, reason, notes } = Object.fromEntries(new FormData(form));
    once(form, async () => {
      try {
        const data = { student_id: studentId, status, reason, notes, version };
        const { body, operationId } = await call(id, "override", data, form);
        dialog.close();
        const label = labels.statuses[body.attendance_status];
        done(id, `${body.student_name} is marked ${label}.`, operationId);
      } catch (error) {
        let sentence = error.status ? error.message : NO_NETWORK;
        if (error.body?.record) {
          // Saving again replaces what has now been seen.
          version = error.body.record.version;
          sentence += ` It is now “${labels.statuses[error.body.record.attendance_status]}”.`;
        }
        problem.textContent = sentence;
        problem.hidden = false;
      }
    });
  });
}

// The buttons of all conflicts, and of all operations, belong to one form each.
export function wireSettle(id, form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [side, student, version] = event.submitter.value.split(":");
    const data = {
      student_id: Number(student),
      accept: side === "accept",
      version: Number(version),
    };
    once(form, async () => {
      const { operationId } = await call(id, "settle", data, form);
      done(id, "The conflict is settled.", operationId);
    });
  });
}

export function wireUndo(id, form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    undoOperation(id, event.submitter.value);
  });
}
