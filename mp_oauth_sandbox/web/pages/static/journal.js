// Keeps the journal on the index page up to date. Values reach the page through textContent
// only: they contain what strangers sent to the sandbox.
"use strict";

const POLL_EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 5000;
const PAGE_SIZE = 50;
const KEEP_ROWS = 200;
const GIVE_UP_AFTER = 3;

const list = document.getElementById("journal");
const state = document.getElementById("journal-state");
const empty = document.getElementById("journal-empty");
const modes = document.getElementById("modes");
const modesList = document.getElementById("modes-list");

let last = Number(list.firstElementChild?.dataset.seq ?? 0);
let failures = 0;

// Assigning equal text again would make screen readers repeat it every second.
function say(sentence) {
  if (state.textContent !== sentence) state.textContent = sentence;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function row(entry) {
  const made = element("li", "entry", "");
  made.id = `entry-${entry.seq}`;
  made.dataset.seq = entry.seq;

  const status = entry.status ? String(entry.status) : "";
  const line = element("p", "entry-line", "");
  line.append(
    element("span", status ? `status status-${status[0]}` : "status", status || "–"),
    " ",
    element("code", "", [entry.request, entry.grant_type].filter(Boolean).join(" ")),
    ` ${entry.outcome}`,
  );

  const time = element("time", "", `${entry.at.slice(0, 19).replace("T", " ")} UTC`);
  time.dateTime = entry.at;
  const facts = element("p", "entry-facts", "");
  const why = entry.cause || entry.reception;
  if (why) facts.append(element("code", "", why), " ");
  facts.append(time);

  made.append(line, facts);
  if (entry.explanation) {
    const [sentence, ...comparison] = entry.explanation.split("\n");
    made.append(element("p", "entry-explanation", sentence));
    if (comparison.length) {
      const lines = element("pre", "entry-comparison", comparison.join("\n"));
      lines.tabIndex = 0;
      made.append(lines);
    }
  }
  if (entry.remedy) made.append(element("p", "entry-remedy", entry.remedy));
  if (entry.source) made.append(element("p", "entry-facts", entry.source));
  if (entry.faults.length) {
    const named = entry.faults.map((fault) => `fault ${fault}`).join(", ");
    made.append(element("p", "entry-facts", named));
  }
  return made;
}

function show(entries) {
  for (const entry of entries) {
    document.getElementById(`entry-${entry.seq}`)?.remove();
    list.prepend(row(entry));
    last = Math.max(last, entry.seq);
  }
  while (list.childElementCount > KEEP_ROWS) list.lastElementChild.remove();
  empty.hidden = list.childElementCount > 0;
}

// After a reset the journal counts from the beginning again.
function startOver() {
  last = 0;
  list.replaceChildren();
}

// What somebody else has changed meanwhile, or set right again.
function showModes(told) {
  const shown = Array.from(modesList.children, (item) => item.textContent);
  if (JSON.stringify(shown) !== JSON.stringify(told)) {
    modesList.replaceChildren(...told.map((mode) => element("li", "", mode)));
  }
  modes.hidden = told.length === 0;
}

async function ask(path) {
  const response = await fetch(`/_sandbox/${path}`, {
    cache: "no-store",
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

async function poll() {
  let more = false;
  try {
    const { entries, next } = await ask(`journal?after=${last}&limit=${PAGE_SIZE}`);
    if (Number.isInteger(next) && next < last) startOver();
    show(entries);
    more = entries.length === PAGE_SIZE;
    if (!more) showModes((await ask("health")).modes.told);
    failures = 0;
    say("Newest first. New entries appear by themselves.");
  } catch {
    failures += 1;
    if (failures === GIVE_UP_AFTER) {
      say("The sandbox no longer answers. Updates have stopped; reload the page to try again.");
      return;
    }
  }
  setTimeout(poll, more ? 0 : POLL_EVERY_MS);
}

poll();
