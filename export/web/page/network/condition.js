// What steers the model, as `Condition` of `model/card.py`: labels are {name: number from 0 to 1}.

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

// The condition vectors, one for each pass through the network: for a joint model one for each set that is changed.
export function vectorsOf(condition, label, changes) {
  const target = applyChanges(condition, label, changes), { names, sets, mask_slots } = condition;
  if (!sets.length) return [[...names.map((name) => target[name]), ...Array(mask_slots).fill(0)]];
  return sets
    .filter((chosen) => chosen.some((name) => name in changes))
    .map((chosen) => [
      ...names.map((name) => (chosen.includes(name) ? target[name] : 0)),
      ...sets.map((other) => Number(other === chosen)),
    ]);
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
