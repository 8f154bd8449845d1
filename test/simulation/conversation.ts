import { Random } from '../support/random.ts';
import type { Agenda, Timed } from './agenda.ts';
import { CONVERSATION, MODEL } from './assumptions.ts';
import type { Asker, Chooser } from './chooser.ts';
import { geometric, lognormal } from './distributions.ts';
import type { Measures } from './measures.ts';
import type { SimulatedModel } from './simulated-model.ts';
import { type Request, Walk } from './walk.ts';

/** So few instances make a small model. */
const SMALL = 2;

/** What conversations live in. */
export interface World {
  readonly agenda: Agenda;
  readonly models: ReadonlyMap<string, SimulatedModel>;
  readonly chooser: Chooser;
  readonly measures: Measures;
  /** No turn begins from then on. */
  readonly untilMs: number;
}

/** A client's turns, one after the other: it asks, reads, thinks, asks again; a failed request it repeats. */
export class Conversation implements Timed, Request, Asker {
  generation = 0;
  promptTokens: number;
  answerTokens = 0;
  luck = 1;
  readonly id: number;

  readonly #world: World;
  readonly #random: Random;
  #turnsLeft: number;
  #isFirstTurn = true;
  #tries = 0;
  #turnAtMs = 0;
  #attempts = 0;
  #firstTokenAtMs = 0;
  #model: string | undefined;
  #answeredBy: string | undefined;

  /** @param id decides with the seed what is said, and when */
  constructor(world: World, id: number, seed: number, nowMs: number) {
    this.#world = world;
    this.id = id;
    this.#random = Random.of(seed, id);
    this.#turnsLeft = geometric(this.#random, CONVERSATION.turns);
    this.promptTokens = lognormal(this.#random, CONVERSATION.promptTokens, CONVERSATION.promptSigma);
    this.#ask(nowMs);
  }

  get promptBytes(): number {
    return Math.ceil(this.promptTokens * CONVERSATION.bytesPerToken);
  }

  freshTokens(model: string): number {
    return this.promptTokens * (model === this.#model ? 1 - CONVERSATION.cachedShare : 1);
  }

  /** It has thought, or waited to try again. */
  onTime(nowMs: number): void {
    if (this.#tries > 0) this.#try(nowMs);
    else if (nowMs < this.#world.untilMs) this.#ask(nowMs);
  }

  onAttempt(model: string): void {
    this.#attempts += 1;
    const isChoice = this.#isFirstTurn && this.#tries === 0 && this.#attempts === 1;
    this.#world.measures.attempted(this.#turnAtMs, isChoice ? model : undefined);
  }

  onFirstToken(model: string, nowMs: number): void {
    this.#firstTokenAtMs = nowMs;
    this.#answeredBy = model;
  }

  onEnd(isWhole: boolean, nowMs: number): void {
    const { measures, agenda } = this.#world;
    measures.requestEnded(this.#turnAtMs, isWhole);
    if (isWhole) return this.#answered(nowMs);
    const retryMs = CONVERSATION.retriesMs[this.#tries];
    if (retryMs === undefined) return measures.lost(this.#turnAtMs);
    this.#tries += 1;
    // Two clients do not come back in the same moment.
    agenda.add(nowMs + retryMs * (0.5 + this.#random.next()), this);
  }

  #ask(nowMs: number): void {
    this.answerTokens = Math.ceil(
      lognormal(this.#random, CONVERSATION.answerTokens, CONVERSATION.answerSigma),
    );
    this.luck = lognormal(this.#random, 1, MODEL.firstTokenSigma);
    this.#turnAtMs = nowMs;
    this.#attempts = 0;
    this.#tries = 0;
    this.#world.measures.asked(nowMs, this.#isFirstTurn);
    this.#try(nowMs);
  }

  #try(nowMs: number): void {
    const { agenda, chooser, models, measures } = this.#world;
    measures.requested(this.#turnAtMs);
    // The agenda keeps what is to come of it.
    void new Walk(agenda, models, this, chooser.plan(this, nowMs));
  }

  #answered(nowMs: number): void {
    const { measures, agenda, models } = this.#world;
    const isMoved = this.#model !== undefined && this.#model !== this.#answeredBy;
    const { instances = 0 } = models.get(this.#answeredBy ?? '') ?? {};
    const by = { isMoved, isSmall: instances <= SMALL };
    measures.answered(this.#turnAtMs, this.#firstTokenAtMs - this.#turnAtMs, by);
    this.#model = this.#answeredBy;
    this.#isFirstTurn = false;
    this.#tries = 0;
    this.#turnsLeft -= 1;
    if (this.#turnsLeft === 0) return;
    this.promptTokens +=
      this.answerTokens + lognormal(this.#random, CONVERSATION.followUpTokens, CONVERSATION.followUpSigma);
    agenda.add(nowMs + lognormal(this.#random, CONVERSATION.thinkMs, CONVERSATION.thinkSigma), this);
  }
}
