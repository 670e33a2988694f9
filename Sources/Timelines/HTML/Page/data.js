"use strict";
// What the page's rows say, machine by machine. Texts are only ever shown as text.
const STEPS = ["accepted", "posted", "woken", "injected", "taken", "EOI"];
const machines = new Map();
const words = [];
// What each has to do with interrupts, if it is an exit.
const classes = [];

function machine(number) {
  if (!machines.has(number))
    machines.set(number, { number, name: "", vcpus: [], journeys: [], marks: [], notes: [], left: 0 });
  return machines.get(number);
}

function vcpu(number, index) {
  const all = machine(number).vcpus;
  while (all.length <= index) all.push({ index: all.length, stays: [], halts: [], counts: [], services: [], waits: [] });
  return all[index];
}

const rows = {
  m: ([, number, name, count]) => { machine(number).name = name; for (let i = 0; i < count; i++) vcpu(number, i); },
  w: ([, text, kind]) => { words.push(text); classes.push(kind); },
  s: ([, number, index, start, length, word]) => vcpu(number, index).stays.push([start, start + length, word]),
  h: ([, number, index, start, length, slept]) => vcpu(number, index).halts.push([start, start + length, slept]),
  o: ([, number, index, time, irr, isr]) => vcpu(number, index).counts.push([time, irr, isr]),
  k: ([, number, time, text]) => machine(number).marks.push({ time, text }),
  j: ([, number, id, index, vector, times, sender, from, way, exit, coalesced]) => {
    const [accepted, posted, , injected, taken, ended] = times;
    const known = times.filter((time) => time !== null);
    if (!known.length) return;
    vcpu(number, index);
    const entered = taken ?? injected;
    machine(number).journeys.push({
      id, vcpu: index, vector, times, sender, from: words[from], way: words[way], exit: exit < 0 ? null : words[exit],
      coalesced, start: Math.min(...known), end: Math.max(...known), entered,
      wait: span(accepted ?? posted, entered), service: span(entered, ended),
    });
  },
  e: ([, number, notes]) => { machine(number).notes = notes; },
  l: ([, count]) => { left = count; },
};
// What the page has no room for.
let left = 0;

function span(start, end) {
  return start === null || end === null || start === undefined || end === undefined || end < start ? null : [start, end];
}

function load() {
  for (const script of document.querySelectorAll("script.rows")) {
    for (const row of JSON.parse(script.textContent)) rows[row[0]](row);
    script.remove();
  }
  for (const m of machines.values()) finish(m);
}

// Sorts what came in no order, and finds how deep handlers nest.
function finish(m) {
  m.journeys.sort((a, b) => a.start - b.start || a.id - b.id);
  m.vectors = [...new Set(m.journeys.map((j) => j.vector))].sort((a, b) => a - b);
  let [low, high] = [Infinity, -Infinity];
  const see = (time) => { low = Math.min(low, time); high = Math.max(high, time); };
  for (const v of m.vcpus) {
    for (const list of [v.stays, v.halts]) {
      list.sort((a, b) => a[0] - b[0]);
      if (list.length) { see(list[0][0]); see(list[list.length - 1][1]); }
    }
    v.counts.sort((a, b) => a[0] - b[0]);
  }
  for (const j of m.journeys) {
    see(j.start); see(j.end);
    const v = m.vcpus[j.vcpu];
    if (j.wait) v.waits.push(j);
    if (j.service) v.services.push(j);
  }
  for (const mark of m.marks) see(mark.time);
  m.range = low < high ? [low, high] : low === high ? [low - 500, low + 500] : [0, 1000];
  for (const v of m.vcpus) {
    v.serviceDepth = nest(v.services, "service");
    v.waitDepth = nest(v.waits, "wait");
  }
}

// Gives each the first row that is free: what nests lies one row below what it interrupts.
function nest(list, key) {
  list.sort((a, b) => a[key][0] - b[key][0] || b[key][1] - a[key][1]);
  const ends = [];
  for (const j of list) {
    let row = ends.findIndex((end) => end <= j[key][0]);
    if (row < 0) row = ends.length < 6 ? ends.length : 5;
    ends[row] = j[key][1];
    j[key + "Row"] = row;
  }
  return Math.max(1, ends.length);
}

const hex = (vector) => "0x" + vector.toString(16).padStart(2, "0");

// Nanoseconds as a person reads them, with as many digits as are asked for.
function time(ns, digits = 3) {
  const size = Math.abs(ns);
  const [unit, scale] = size >= 1e9 ? ["s", 1e9] : size >= 1e6 ? ["ms", 1e6] : size >= 1e3 ? ["µs", 1e3] : ["ns", 1];
  return scale === 1 ? `${ns} ns` : `${Number((ns / scale).toPrecision(Math.max(digits, Math.trunc(size / scale).toString().length)))} ${unit}`;
}
const exact = (ns) => `${ns.toLocaleString("en").replaceAll(",", "\u202f")} ns`;

// The first place in a sorted list whose key is not before a value.
function place(list, value, key) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]) < value) low = middle + 1; else high = middle;
  }
  return low;
}
