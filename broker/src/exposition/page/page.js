// Asks the node for JSON every two seconds and shows it. Everything that was told becomes text,
// never markup. Kept true: one question at a time; what is shown of a broker that is gone is said
// to be of before; whoever has the focus keeps it while rows are replaced.
"use strict";

const PERIOD_MS = 2000;
const PATIENCE_MS = 15000;
const ROWS = 50;

const $ = (id) => document.getElementById(id);
let heard = null; // when the node answered last
let told = false; // whether it ever did
let timer = 0;
let asking = null;
let view = null;
const ends = new Map(); // by topic: where it ended, and when, to tell what came in a second

/* Elements */

function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/* Replaces children; the one with the same key gets the focus again. */
function replace(parent, ...children) {
  const focused = parent.contains(document.activeElement) && document.activeElement.dataset.key;
  parent.replaceChildren(...children.flat());
  if (!focused) return;
  for (const child of parent.querySelectorAll("[data-key]")) {
    if (child.dataset.key === focused) child.focus({ preventScroll: true });
  }
}

/* Values as people read them */

const whole = new Intl.NumberFormat("en");
const known = (value) => value !== null && value !== undefined;
const number = (value) => (known(value) ? whole.format(value) : "–");

function bytes(value) {
  if (!known(value)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + " " + units[unit];
}

function rate(value) {
  if (!known(value)) return "–";
  return value > 0 && value < 10 ? value.toFixed(1) : whole.format(Math.round(value));
}

function counted(count, one, many) {
  return number(count) + " " + (count === 1 ? one : many || one + "s");
}

const mark = (text, kind) => (kind ? el("span", { class: kind }, text) : text);
const troubled = (count, kind) => mark(number(count), count > 0 ? kind : "");

function link(part, name) {
  const address = "#/" + part + "/" + encodeURIComponent(name);
  return el("a", { href: address, "data-key": address }, name);
}

/* A table: columns are [heading, is a number]; rows are lists of cells. */
function table(caption, columns, rows, empty) {
  const head = columns.map(([title, numeric]) =>
    el("th", { scope: "col", class: numeric ? "number" : null }, title));
  const body = rows.map((cells) => el("tr", null, cells.map((cell, at) =>
    el("td", { class: columns[at][1] ? "number" : null, "data-label": columns[at][0] }, cell))));
  if (body.length === 0) {
    body.push(el("tr", null, el("td", { class: "empty", colspan: columns.length }, empty)));
  }
  return el("table", null, el("caption", { class: "unseen" }, caption),
    el("thead", null, el("tr", null, head)), el("tbody", null, body));
}

const note = (problem) => (problem ? el("p", { class: "note" }, problem) : null);

/* Asking */

class Refused extends Error {}

async function ask(path, query, signal) {
  const url = new URL("/api/" + path, location.origin);
  for (const [key, value] of Object.entries(query || {})) {
    if (value) url.searchParams.set(key, value);
  }
  // The node reads %20 as a blank, and a plus as a plus.
  url.search = url.search.replaceAll("+", "%20");
  const answer = await fetch(url, { signal, cache: "no-store", credentials: "same-origin" });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Refused((await answer.text()).trim() || "HTTP " + answer.status);
  return answer.json();
}

/* Parts of the page. Each has a frame that stays, and what is shown in it. */

const SHOWN = { brokers: brokersView, topics: topicsView, topic: topicView, groups: groupsView, group: groupView };

function brokersView() {
  const body = el("div");
  return {
    part: "brokers", title: "Brokers", frame: [el("h1", null, "Brokers"), body],
    show(_, overview) {
      const rows = overview.brokers.map((broker) => [
        String(broker.id) + (broker.id === overview.controller ? " (controller)" : ""),
        mark(broker.state, { up: "good", fenced: "bad" }[broker.state] || "warn"),
        broker.endpoint || "–",
        broker.rack || "–",
        number(broker.leaders),
        number(broker.replicas),
        troubled(broker.underReplicated, "warn"),
        troubled(broker.lagging, "warn"),
        broker.problem ? mark(broker.problem, "warn") : disks(broker.dirs),
      ]);
      const columns = [["Broker"], ["State"], ["Address"], ["Rack"], ["Leads", 1], ["Replicas", 1],
        ["Under-replicated", 1], ["Out of sync", 1], ["Log directories"]];
      const features = overview.features.map((of) => of.name + " " + of.level).join(", ");
      replace(body, note(overview.problem) || [],
        table("Brokers", columns, rows, "No broker is registered."),
        el("h2", null, "Cluster"),
        el("p", { class: "facts" }, "Id " + overview.clusterId + ", metadata version " +
          overview.metadataVersion + (features ? "; features: " + features : "") + ". This is node " +
          overview.node + " (" + overview.roles.join(", ") + "), Kafka " + overview.release + "."));
    },
  };
}

function disks(dirs) {
  if (!dirs) return "–";
  return dirs.map((dir) => {
    if (dir.problem) return el("div", null, dir.path + ": ", mark(dir.problem, "bad"));
    if (!known(dir.total)) return el("div", null, dir.path);
    const used = dir.total - dir.usable;
    const text = bytes(dir.usable) + " of " + bytes(dir.total) + " free";
    const gauge = el("progress", { class: used > dir.total * 0.85 ? "gauge full" : "gauge",
      max: dir.total, value: used, "aria-label": dir.path + ", " + text });
    return el("div", null, dir.path, el("br"), el("span", { class: "soft" }, text), gauge);
  });
}

/* A list with a search and pages. */
function listed(part, title, one, extra) {
  const query = { find: "", offset: 0, troubled: "" };
  const search = el("input", { type: "search", id: "find", placeholder: "Search names",
    autocomplete: "off", spellcheck: "false", "aria-label": "Search names of " + part });
  const before = el("button", { type: "button" }, "Previous");
  const after = el("button", { type: "button" }, "Next");
  const range = el("span", { role: "status" });
  const body = el("div");
  const turn = (by) => { query.offset = Math.max(0, query.offset + by); now(); };
  before.addEventListener("click", () => turn(-ROWS));
  after.addEventListener("click", () => turn(ROWS));
  search.addEventListener("input", () => { query.find = search.value; query.offset = 0; now(); });
  const tools = el("div", { class: "tools" }, search, extra ? extra(query) : null,
    el("div", { class: "pages" }, range, before, after));
  const questions = () => ask(part, { ...query, count: ROWS }, asking.signal);
  const pages = (answer, count) => {
    // Fewer than there were: the last page that there is.
    if (count === 0 && answer.matching > 0) return turn(-ROWS);
    const last = query.offset + count;
    range.textContent = count === 0 ? "" :
      number(query.offset + 1) + "–" + number(last) + " of " + counted(answer.matching, one);
    before.disabled = query.offset === 0;
    after.disabled = last >= answer.matching;
  };
  return { part, title, frame: [el("h1", null, title), tools, body], body, questions, pages, query };
}

function topicsView() {
  const box = (query) => {
    const input = el("input", { type: "checkbox", id: "troubled" });
    input.addEventListener("change", () => {
      query.troubled = input.checked ? "1" : "";
      query.offset = 0;
      now();
    });
    return el("label", null, input, " Only with missing replicas");
  };
  const list = listed("topics", "Topics", "topic", box);
  const columns = [["Topic"], ["Partitions", 1], ["Replicas", 1], ["Under-replicated", 1],
    ["Offline", 1], ["Size", 1], ["Records in / s", 1]];
  return {
    ...list, part: "topics",
    show(answer) {
      list.pages(answer, answer.topics.length);
      const rows = answer.topics.map((topic) => [
        el("span", null, link("topic", topic.name), topic.internal ? mark(" internal", "soft") : null),
        number(topic.partitions),
        number(topic.replicas),
        troubled(topic.underReplicated, "warn"),
        troubled(topic.offline, "bad"),
        bytes(topic.size),
        rate(came(topic.name, topic.end, answer.at)),
      ]);
      const empty = list.query.find || list.query.troubled ? "No topic is like that." : "There are no topics.";
      replace(list.body, note(answer.problem) || [], table("Topics", columns, rows, empty));
    },
  };
}

/* Records a second since the answer before. */
function came(name, end, at) {
  if (!known(end)) return null;
  const before = ends.get(name);
  if (ends.size > 5000) ends.clear();
  if (!before || at - before.at > 60000 || end < before.end) {
    ends.set(name, { end, at, rate: null });
    return null;
  }
  if (at - before.at < 1000) return before.rate;
  const rate = (end - before.end) * 1000 / (at - before.at);
  ends.set(name, { end, at, rate });
  return rate;
}

function topicView(name) {
  const list = listed("topic", name, "partition");
  const search = list.frame[1].querySelector("input");
  search.remove();
  const facts = el("p", { class: "facts" });
  const columns = [["Partition", 1], ["Leader", 1], ["Replicas"], ["In sync"], ["End", 1], ["Size", 1]];
  return {
    ...list, part: "topics", frame: [list.frame[0], facts, list.frame[1], list.body],
    questions: () => ask("topic", { name, offset: list.query.offset, count: ROWS }, asking.signal),
    show(topic) {
      if (!topic) return replace(list.body, el("p", null, "There is no such topic."));
      facts.textContent = "Topic id " + topic.id + (topic.internal ? ", internal" : "");
      list.pages({ matching: topic.total }, topic.partitions.length);
      const rows = topic.partitions.map((of) => [
        number(of.id),
        known(of.leader) ? String(of.leader) : mark("none", "bad"),
        replicas(of.replicas, of.down),
        mark(of.isr.join(", "), of.underReplicated ? "warn" : ""),
        number(of.end),
        bytes(of.size),
      ]);
      replace(list.body, note(topic.problem) || [], table("Partitions of " + name, columns, rows, "It has no partitions."));
    },
  };
}

function replicas(all, down) {
  return el("span", null, all.map((id, at) => [at ? ", " : "",
    mark(String(id) + (down.includes(id) ? " (down)" : ""), down.includes(id) ? "bad" : "")]).flat());
}

const GROUP_STATES = { Stable: "good", Empty: "soft", Dead: "bad" };
const groupState = (state) => mark(state || "–", GROUP_STATES[state] || (state ? "warn" : ""));

function groupsView() {
  const list = listed("groups", "Groups", "group");
  const columns = [["Group"], ["Kind"], ["State"], ["Members", 1], ["Lag", 1], ["Coordinator", 1]];
  return {
    ...list, part: "groups",
    show(answer) {
      list.pages(answer, answer.groups.length);
      const rows = answer.groups.map((group) => [
        link("group", group.name),
        (group.kind || "–").toLowerCase(),
        groupState(group.state),
        number(group.members),
        troubled(group.lag, "strong"),
        known(group.coordinator) ? String(group.coordinator) : "–",
      ]);
      const empty = list.query.find ? "No group is called that." : "There are no groups.";
      replace(list.body, note(answer.problem) || [], table("Groups", columns, rows, empty));
    },
  };
}

function groupView(name) {
  const body = el("div");
  return {
    part: "groups", title: name, frame: [el("h1", null, name), body],
    questions: () => ask("group", { name }, asking.signal),
    show(group) {
      if (!group) return replace(body, el("p", null, "There is no such group."));
      if (!group.name) return replace(body, note(group.problem) || []);
      const facts = [(group.kind || "").toLowerCase() + " group", group.state,
        group.assignor ? "assignor " + group.assignor : "",
        known(group.coordinator) ? "coordinator " + group.coordinator : "",
        "lag " + number(group.lag)].filter((fact) => fact);
      const members = group.members.map((member) => [
        member.clientId || "–",
        el("span", { class: "soft" }, member.instance ? member.instance + " · " : "", member.id),
        member.host.replace(/^\//, ""),
        member.assigned.join(", ") + (member.assignedCount > member.assigned.length ? ", …" : "") || "–",
      ]);
      const partitions = group.partitions.map((of) => [
        link("topic", of.topic), number(of.partition), number(of.committed), number(of.end),
        troubled(of.lag, "strong"), of.member || "–",
      ]);
      const rest = (count, shown, what) => (count > shown
        ? el("p", { class: "facts" }, "and " + counted(count - shown, what) + " more") : []);
      replace(body, el("p", { class: "facts" }, facts.join(" · ")), note(group.problem) || [],
        el("h2", null, counted(group.memberCount, "member")),
        table("Members", [["Client"], ["Member"], ["Host"], ["Assigned"]], members, "It has no members."),
        rest(group.memberCount, members.length, "member"),
        el("h2", null, counted(group.partitionCount, "partition")),
        table("Partitions", [["Topic"], ["Partition", 1], ["Committed", 1], ["End", 1], ["Lag", 1], ["Client"]],
          partitions, "It has committed nothing."),
        rest(group.partitionCount, partitions.length, "partition"));
    },
  };
}

/* What is always there */

function showSummary(overview) {
  const up = overview.brokers.filter((broker) => broker.state === "up").length;
  const figure = (title, value, kind) => el("div", null, el("dt", null, title),
    el("dd", { class: kind || null }, value));
  const all = overview.brokerCount;
  replace($("summary"),
    figure("Brokers up", number(up) + " of " + number(all), up < all ? "bad" : ""),
    figure("Controller", known(overview.controller) ? String(overview.controller) : "none", known(overview.controller) ? "" : "bad"),
    figure("Topics", number(overview.topics)),
    figure("Partitions", number(overview.partitions)),
    figure("Under-replicated", number(overview.underReplicated), overview.underReplicated ? "warn" : ""),
    figure("Offline", number(overview.offline), overview.offline ? "bad" : ""));
  $("cluster").textContent = "Kafka cluster " + overview.clusterId;
  $("footer").textContent = "Node " + overview.node + ", Kafka " + overview.release + ". Read-only.";
}

const clock = (time) => time.toLocaleTimeString("en-GB");

function showState(problem) {
  $("dot").className = "dot " + (problem ? "down" : "up");
  $("live").textContent = problem ? "not live" : "live, " + clock(heard);
  document.body.classList.toggle("stale", Boolean(problem) && told);
  const gone = $("gone");
  const text = problem ? problem + (told ? " What is shown is of " + clock(heard) + "." : "") : "";
  // Said once, not every two seconds.
  if (gone.textContent !== text) gone.textContent = text;
  gone.hidden = !problem;
}

/* The rounds */

async function round() {
  const mine = new AbortController();
  asking = mine;
  const patience = setTimeout(() => mine.abort("patience"), PATIENCE_MS);
  try {
    const shown = view;
    const [overview, answer] = await Promise.all([
      ask("overview", {}, mine.signal), shown.questions ? shown.questions() : null]);
    if (asking !== mine) return;
    heard = new Date();
    told = true;
    showSummary(overview);
    shown.show(answer, overview);
    showState("");
  } catch (error) {
    if (asking !== mine) return;
    showState(error instanceof Refused ? error.message
      : "This broker does not answer. It is asked again every two seconds.");
  } finally {
    clearTimeout(patience);
    if (asking === mine) {
      asking = null;
      timer = setTimeout(round, PERIOD_MS);
    }
  }
}

/* Asks at once, whatever is under way. */
function now() {
  clearTimeout(timer);
  if (asking) {
    const before = asking;
    asking = null;
    before.abort();
  }
  if (!document.hidden) round();
}

function go() {
  const [part, ...rest] = location.hash.replace(/^#\//, "").split("/");
  if (location.hash === "#main") return;
  let name = "";
  try { name = decodeURIComponent(rest.join("/")); } catch { name = rest.join("/"); }
  view = (SHOWN[part] || brokersView)(name);
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.getAttribute("href") === "#/" + view.part) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.title = view.title + " – Kafka cluster";
  $("main").replaceChildren(...view.frame);
  now();
}

document.addEventListener("keydown", (event) => {
  const search = $("find");
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing && search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
});
document.addEventListener("visibilitychange", now);
addEventListener("hashchange", () => { go(); $("main").focus(); });
go();
