// The One-Euro filter: steady where things are still, prompt where they move (Casiez, Roussel, Vogel, CHI 2012).

const share = (cutoff, seconds) => {
  const turn = 2 * Math.PI * cutoff * seconds;
  return turn / (turn + 1);
};

// Smooths a list of numbers that changes over time; `beta` adds Hz for each unit a second.
export class OneEuro {
  constructor(minCutoff, beta, derivativeCutoff = 1) {
    Object.assign(this, { minCutoff, beta, derivativeCutoff, value: null, speed: null });
  }

  // `unit` is the length that counts as 1 in beta, in the sample's own units.
  next(sample, seconds, unit = 1) {
    if (!this.value) {
      this.speed = sample.map(() => 0);
      return (this.value = [...sample]);
    }
    const change = sample.map((value, i) => value - this.value[i]), rate = share(this.derivativeCutoff, seconds);
    this.speed = this.speed.map((speed, i) => speed + rate * (change[i] / (unit * seconds) - speed));
    this.value = this.value.map((value, i) =>
      value + share(this.minCutoff + this.beta * Math.abs(this.speed[i]), seconds) * change[i]);
    return this.value;
  }
}
