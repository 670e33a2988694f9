// The panel beside the picture, and the head of the page.
const byID = (id) => document.getElementById(id);
let order = { key: "start", isDown: false };

function element(name, text, parts = {}) {
  const made = Object.assign(document.createElement(name), parts);
  if (text !== undefined) made.textContent = text;
  return made;
}

function showMachine(m) {
  byID("name").textContent = m.name;
  document.title = `${m.name}: Lapwing timeline`;
  byID("machines").value = String(m.number);
  const notes = [...m.notes];
  if (left) notes.push(`This page has no room for ${left} more things that were recorded; a .pftrace has all.`);
  byID("notes").replaceChildren(...notes.map((text) => element("p", text)));
  byID("notes").hidden = !notes.length;
  style = getComputedStyle(document.documentElement);
  chips("vectors", m.vectors, view.vectors, hex, vectorColor);
  chips("vcpus", m.vcpus.map((v) => v.index), view.vcpus, String, null);
  showJourney(null);
}

// A button for each; with Alt or Shift it shows that one alone.
function chips(id, all, shown, name, paint) {
  const group = byID(id);
  group.replaceChildren(element("span", id === "vectors" ? "vectors" : "vCPUs"));
  if (!all.length) group.append(element("span", "none"));
  for (const value of all) {
    const button = element("button", undefined, { title: "Shift: this one alone" });
    if (paint) { const spot = element("i"); spot.style.background = paint(value); button.append(spot); }
    button.append(name(value));
    button.setAttribute("aria-pressed", shown.has(value));
    button.onclick = (event) => {
      if (event.shiftKey || event.altKey) {
        const isAlone = shown.size === 1 && shown.has(value);
        shown.clear();
        for (const other of isAlone ? all : [value]) shown.add(other);
      } else if (!shown.delete(value)) shown.add(value);
      chips(id, all, shown, name, paint);
      draw();
    };
    group.append(button);
  }
}

function showJourney(j) {
  const panel = byID("journey");
  panel.replaceChildren();
  if (!j) {
    panel.append(element("h2", "Interrupts"), element("p",
      "Hover over one, or click it, for its numbers. Wheel: zoom. Drag: move. 0: all. n, p: the next, the one before. + and -: zoom."));
    return;
  }
  panel.append(element("h2", `${hex(j.vector)} from ${j.from} to vCPU ${j.vcpu}`));
  const facts = element("dl");
  const fact = (name, text) => facts.append(element("dt", name), element("dd", text));
  fact("way", j.way);
  if (j.exit) fact("exit", j.exit);
  if (j.coalesced) fact("in one", `${j.coalesced + 1} requests`);
  if (j.wait) fact("waited", `${time(j.wait[1] - j.wait[0])} (${exact(j.wait[1] - j.wait[0])})`);
  if (j.service) fact("served", `${time(j.service[1] - j.service[0])} (${exact(j.service[1] - j.service[0])})`);
  panel.append(facts);
  const steps = element("div", undefined, { className: "steps" });
  const length = Math.max(j.end - j.start, 1);
  let before = j.start;
  const moments = STEPS.map((name, i) => [name, j.times[i]]).filter(([, at]) => at !== null).sort((a, b) => a[1] - b[1]);
  for (const [name, at] of moments) {
    const bar = element("div"), part = element("i");
    part.style.left = `${((before - j.start) / length) * 100}%`;
    part.style.width = `${((at - before) / length) * 100}%`;
    part.style.background = vectorColor(j.vector);
    bar.append(part);
    const text = at === j.start ? time(at, 9) : `+${time(at - j.start)}`;
    steps.append(element("b", name), bar, element("em", text, { title: exact(at) }));
    before = at;
  }
  panel.append(steps);
}

const columns = [
  ["#", (j) => j.id, (j) => j.id], ["interrupt", (j) => j.vector, (j) => `${hex(j.vector)} ${j.from} → ${j.vcpu}`],
  ["at", (j) => j.start, (j) => time(j.start, 6)], ["waited", (j) => (j.wait ? j.wait[1] - j.wait[0] : -1), (j) => (j.wait ? time(j.wait[1] - j.wait[0]) : "")],
  ["served", (j) => (j.service ? j.service[1] - j.service[0] : -1), (j) => (j.service ? time(j.service[1] - j.service[0]) : "")],
  ["way", (j) => j.way, (j) => j.way],
];

function listJourneys() {
  const seen = visibleJourneys();
  const waits = seen.filter((j) => j.wait).map((j) => j.wait[1] - j.wait[0]).sort((a, b) => a - b);
  const at = (part) => waits[Math.min(waits.length - 1, Math.floor(waits.length * part))];
  byID("count").textContent = `${seen.length} in view`
    + (waits.length ? `; waited ${time(at(0.5))} (median), ${time(at(0.99))} (99 %), ${time(at(1))} (most)` : "");
  const sort = columns.find(([name]) => name === order.key)?.[1] ?? ((j) => j.start);
  seen.sort((a, b) => { const [p, q] = [sort(a), sort(b)]; return (p < q ? -1 : p > q ? 1 : 0) * (order.isDown ? -1 : 1); });
  const shown = seen.slice(0, 200).map((j) => {
    const row = element("tr", undefined, { className: j === view.chosen ? "chosen" : "", onclick: () => choose(j) });
    row.append(...columns.map(([, , text]) => element("td", text(j), { title: text(j) })));
    return row;
  });
  byID("list").replaceChildren(...shown);
  byID("more").textContent = seen.length > 200 ? `and ${seen.length - 200} more: zoom in or filter` : "";
}

function start() {
  load();
  const all = [...machines.values()];
  if (!all.length) return;
  byID("machines").append(...all.map((m) => element("option", m.name, { value: String(m.number) })));
  byID("machines").hidden = all.length < 2;
  byID("machines").onchange = (event) => show(machines.get(Number(event.target.value)));
  byID("all").onclick = lookAtAll;
  byID("theme").onclick = () => {
    const root = document.documentElement;
    const isDark = root.classList.contains("dark")
      || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
    root.classList.remove("dark", "light");
    root.classList.add(isDark ? "light" : "dark");
    show(view.machine);
  };
  byID("head").append(...columns.map(([name]) => element("th", name, {
    onclick: () => { order = { key: name, isDown: order.key === name && !order.isDown }; listJourneys(); },
  })));
  listen();
  const asked = new URLSearchParams(location.hash.slice(1));
  const m = machines.get(Number(asked.get("machine"))) ?? all.find((m) => m.journeys.length) ?? all[0];
  show(m);
  const journey = m.journeys.find((j) => j.id === Number(asked.get("journey")));
  if (journey) choose(journey);
  document.documentElement.dataset.ready = `${all.length} ${all.reduce((n, m) => n + m.journeys.length, 0)}`;
}
start();
