"use strict";
// Everything that people wrote reaches the document as text nodes, never as markup.

const POLL_MS = 500;
const CARDS_SHOWN = 60;
const KINDS = { comment: "", post: "visitor post", message: "direct messages", review: "review" };
const STATS = [
  ["comments", "comments"], ["replies", "replies"], ["private_replies", "private"], ["hidden", "hidden"],
  ["comments_answered_twice", "answered twice"],
];

const $ = (id) => document.getElementById(id);
const cards = new Map();
const state = { version: 0, platform: "", run: null, parent: null, accounts: "", seen: new Set() };

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
}

function tone(name) {
  let sum = 0;
  for (const char of name) sum += char.codePointAt(0);
  return sum % 6;
}

function chips(item) {
  const marks = [];
  if (item.private) marks.push("private");
  else if (item.own) marks.push("own");
  for (const mark of ["hidden", "removed", "edited", "ad", "photo"]) if (item[mark]) marks.push(mark);
  return marks.map((mark) => make("span", `chip ${mark}`, mark === "own" ? "brand" : mark));
}

function drawItem(item, card) {
  const flags = ["own", "private", "hidden", "removed"].filter((flag) => item[flag]);
  const row = make("div", ["item", `deep${Math.min(item.depth || 0, 2)}`, ...flags].join(" "));
  const mark = `${card.key}|${item.id || ""}|${item.time}|${item.own}`;
  if (!state.seen.has(mark)) { state.seen.add(mark); if (state.version > 0) row.classList.add("fresh"); }
  const face = make("span", `face t${tone(item.author)}`, [...item.author.replace(/^@/, "")][0] || "?");
  face.setAttribute("aria-hidden", "true");
  const body = make("div");
  const box = make("div", "said-box");
  const who = make("div", "who");
  who.append(make("span", "", item.author), ...chips(item));
  const text = make("div", "text", item.text);
  text.dir = "auto";
  box.append(who, text);
  const foot = make("div", "foot");
  foot.append(make("time", "", new Date(item.time * 1000).toLocaleTimeString()));
  if (item.likes) foot.append(make("span", "", `♥ ${item.likes}`));
  if (item.id && !item.removed) {
    const answer = make("button", "", "Reply");
    answer.type = "button";
    answer.addEventListener("click", () => replyTo(item, card));
    foot.append(answer);
  }
  body.append(box, foot);
  row.append(face, body);
  return row;
}

function draw(card) {
  const node = make("article", "card");
  const about = make("div", "about");
  about.append(make("i", `badge ${card.platform}`), make("b", "", card.account));
  if (KINDS[card.kind]) about.append(make("span", "", KINDS[card.kind]));
  about.append(make("q", "", card.title));
  node.append(about, ...card.items.map((item) => drawItem(item, card)));
  return node;
}

function show(list) {
  for (const card of [...list].reverse()) {
    const node = draw(card);
    const old = cards.get(card.key);
    cards.set(card.key, node);
    // A thread that changed keeps its place, so that nothing jumps while it is being read.
    if (old && old.isConnected) old.replaceWith(node);
    else $("cards").prepend(node);
  }
  while ($("cards").childElementCount > CARDS_SHOWN) $("cards").lastElementChild.remove();
  for (const [key, node] of cards) if (!node.isConnected) cards.delete(key);
  $("empty").hidden = cards.size > 0;
}

function clear() {
  state.version = 0;
  state.seen.clear();
  cards.clear();
  $("cards").replaceChildren();
  $("empty").hidden = false;
}

function showStats(stats) {
  const rows = STATS.map(([key, label]) => [label, stats[key], key === "comments_answered_twice" && stats[key] > 0]);
  const p95 = stats.latency_ms.p95;
  rows.push(["reply p95", p95 === null ? "–" : p95 < 1000 ? `${Math.round(p95)} ms` : `${(p95 / 1000).toFixed(1)} s`, false]);
  $("stats").replaceChildren(...rows.map(([label, value, alarm]) => {
    const box = make("div", alarm ? "alarm" : "");
    box.append(make("dt", "", label), make("dd", "", typeof value === "number" ? value.toLocaleString() : value));
    return box;
  }));
}

function showAccounts(accounts) {
  const now = JSON.stringify(accounts);
  if (now === state.accounts) return;
  state.accounts = now;
  const select = $("write").elements.account;
  const chosen = select.value;
  select.replaceChildren(...accounts.map((account) => {
    const option = make("option", "", `${account.name} · ${account.platform}`);
    option.value = JSON.stringify([account.platform, account.account]);
    return option;
  }));
  if (chosen) select.value = chosen;
}

function replyTo(item, card) {
  state.parent = { id: item.id, platform: card.platform };
  $("replying").hidden = false;
  $("replying").querySelector("b").textContent = item.author;
  for (const option of $("write").elements.account.options) {
    if (option.textContent === `${card.account} · ${card.platform}`) option.selected = true;
  }
  $("write").elements.text.focus();
}

function stopReplying() {
  state.parent = null;
  $("replying").hidden = true;
}

async function poll() {
  try {
    if ($("follow").checked) {
      const query = new URLSearchParams({ after: state.version });
      if (state.platform) query.set("platform", state.platform);
      const asked = state.platform;
      const answer = await fetch(`page/feed?${query}`);
      const feed = await answer.json();
      if (state.run !== null && state.run !== feed.run) { clear(); state.run = feed.run; }
      else if (asked === state.platform) {
        state.run = feed.run;
        show(feed.cards);
        state.version = feed.version;
        showStats(feed.stats);
        showAccounts(feed.accounts);
      }
    }
    $("live").textContent = $("follow").checked ? "live" : "paused";
    $("live").classList.toggle("on", $("follow").checked);
  } catch (error) {
    $("live").textContent = "away";
    $("live").classList.remove("on");
  }
  setTimeout(poll, POLL_MS);
}

$("tabs").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  for (const other of $("tabs").querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  state.platform = button.dataset.platform;
  clear();
});

$("cancel").addEventListener("click", stopReplying);

$("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  const [platform, account] = JSON.parse(fields.account.value);
  const name = fields.name.value.trim();
  const id = "p" + [...name.toLowerCase()].map((char) => char.codePointAt(0).toString(36)).join("").slice(0, 40);
  const comment = { platform, account, author: { id, name }, text: fields.text.value };
  if (state.parent) comment.parent = state.parent.id;
  try {
    const answer = await fetch("control/comments", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(comment),
    });
    if (!answer.ok) throw new Error(`not posted (${answer.status})`);
    $("said").textContent = "Posted.";
    $("said").classList.remove("bad");
    fields.text.value = "";
    stopReplying();
  } catch (error) {
    $("said").textContent = error.message;
    $("said").classList.add("bad");
  }
});

poll();
