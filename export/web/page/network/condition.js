// What steers the model, as `Condition` of `model/condition.py`: labels are {name: number from 0 to 1}.

// `label` with `changes` on top; turning one name of a group on turns the others off.
export function applyChanges(condition, label, changes) {
  const out = Object.fromEntries(condition.names.map((name, i) => [name, label[name] ?? condition.default[i]]));
  for (const [name, value] of Object.entries(changes)) {
    for (const group of condition.groups) {
      if (!group.includes(name) || value <= 0) continue;
      for (const other of group) out[other] *= 1 - Math.min(value, 1);
    }
    out[name] = value;
  }
  return out;
}

// The condition vectors, one for each pass through the network: for a joint model one for each set that is changed, for
// a model that was taught one decision at a time one for each decision that is named, on top of those before it.
export function vectorsOf(condition, label, changes) {
  const now = applyChanges(condition, label, {}), target = applyChanges(condition, label, changes);
  const found = [];
  for (const names of condition.one_at_a_time ? decisionsOf(condition) : condition.sets) {
    if (!names.some((name) => name in changes)) continue;
    for (const name of names) now[name] = target[name];
    found.push(vectorOf(condition, now, names));
  }
  return found.length || condition.sets.length ? found : [vectorOf(condition, target, condition.names)];
}

// Each group, and each name of its own, in the order of the names.
function decisionsOf({ names, groups }) {
  const found = new Set(names.map((name) => groups.find((group) => group.includes(name)) ?? name));
  return [...found].map((one) => [one].flat());
}

// What the network takes; of a joint model, for the set that knows `some` of its names.
function vectorOf({ names, sets, mask_slots }, target, some) {
  if (!sets.length) return [...names.map((name) => target[name]), ...Array(mask_slots).fill(0)];
  const chosen = sets.find((one) => one.includes(some[0]));
  return [
    ...names.map((name) => (chosen.includes(name) ? target[name] : 0)),
    ...sets.map((one) => Number(one === chosen)),
  ];
}

// Rounds to 0 or 1; in each exclusive group the likeliest name is on and the others are off.
export function decide(condition, likely) {
  const label = Object.fromEntries(condition.names.map((name) => [name, Number(likely[name] >= 0.5)]));
  for (const group of condition.groups) {
    const best = group.reduce((one, other) => (likely[other] > likely[one] ? other : one));
    for (const name of group) label[name] = Number(name === best);
  }
  return label;
}
