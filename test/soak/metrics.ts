const PREFIX = 'chutes_autopilot_';

/** One scrape of `/metrics`. */
export class Metrics {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The sum of all series of one metric; 0 if there is none. @param name without the prefix */
  sum(name: string): number {
    const values = this.#text.matchAll(new RegExp(`^${PREFIX}${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
    return [...values].reduce((total, [, value]) => total + Number(value), 0);
  }
}
