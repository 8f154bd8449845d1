import { featureName, type NeedSet, needSet, needsIn, type RequestNeeds } from '../catalog/abilities.js';
import type { ModelList } from '../catalog/model-list.js';
import type { AliasPolicy } from '../config/alias-policy.js';
import type { RankedModel } from '../ranking/ranked-model.js';
import { strategyOf, wishClass } from '../ranking/strategies.js';
import type { Candidate } from './candidate.js';
import { FITS_ANYWHERE_TOKENS, fitOf, leastTokens, mostTokens } from './eligibility.js';
import { givenBy } from './patterns.js';
import { Spread, spreads } from './spread.js';
import type { ExclusionReason } from './why.js';

/** So many kinds of need are remembered: whoever makes up new ones costs time, not memory. */
const MAX_REMEMBERED = 1_000;
const TEE = needSet('tee');
const NOTHING: RequestNeeds = { needs: 0, promptBytes: 0, answerTokens: 0 };

/** A model of the catalog that is no candidate. */
export interface Exclusion {
  readonly model: string;
  readonly why: ExclusionReason;
}

/** What comes of a kind of need. One value for all requests of the kind. */
export interface Choice {
  /** Those that can, and behind them those of which it is not known. */
  readonly candidates: readonly Candidate[];
  /** How many models what reason left out, of those that run and that the alias's patterns give. */
  readonly left: readonly (readonly [ExclusionReason, number])[];
  /** The same of all models of the catalog. */
  readonly excludedCounts: Choice['left'];
  /** Their order by who asks, where that matters. */
  readonly spread?: Spread | undefined;
}

/**
 * An alias's models in its order, and for each kind of need those that can. What a need excludes is worked out once for a snapshot and not
 * with each request: lengths count in steps, from one model's context to the next.
 */
export class Pool {
  /** What the alias chooses from, whatever a request needs. */
  readonly models: readonly RankedModel[];
  /** Why models that the patterns give are not among them. */
  private readonly out: readonly ExclusionReason[];
  /** How many models of the catalog the patterns had no choice of. */
  private readonly outside: Choice['left'];
  private readonly ownNeeds: NeedSet;
  private readonly features: readonly string[];
  private readonly steps: readonly number[];
  private readonly plain: Choice;
  private readonly known = new Map<number, Choice>();

  /** @param idle how many models of the catalog are not eligible */
  constructor(
    private readonly policy: AliasPolicy,
    private readonly eligible: readonly RankedModel[],
    idle = 0,
  ) {
    const given = eligible
      .map((model) => ({ ...model, place: givenBy(policy.models, model.id) }))
      .filter(({ place }) => place !== -1);
    this.models = given.filter((model) => !outOfPool(policy, model)).toSorted(strategyOf(policy));
    this.out = given.flatMap((model) => outOfPool(policy, model) ?? []);
    const outside: Choice['left'] = [
      ['no_instance', idle],
      ['not_in_pool', eligible.length - given.length],
    ];
    this.outside = outside.filter(([, models]) => models > 0);
    this.ownNeeds = policy.tee ? TEE : 0;
    this.features = policy.features.map(featureName);
    const lengths = this.models.map(({ abilities }) => abilities.contextTokens ?? FITS_ANYWHERE_TOKENS);
    this.steps = [...new Set(lengths)].toSorted((a, b) => a - b);
    this.plain = this.sieve(NOTHING);
  }

  choose(request: RequestNeeds): Choice {
    const most = this.stepOf(mostTokens(request));
    if (request.needs === 0 && most === 0) return this.plain;
    const kinds = this.steps.length + 1;
    const kind = (request.needs * kinds + most) * kinds + this.stepOf(leastTokens(request));
    let choice = this.known.get(kind);
    if (!choice) {
      choice = this.sieve(request);
      if (this.known.size === MAX_REMEMBERED) this.known.clear();
      this.known.set(kind, choice);
    }
    return choice;
  }

  /** Who of the catalog is left out, in its order, each by the first reason that holds. */
  excluded(request: RequestNeeds, catalog: ModelList): readonly Exclusion[] {
    const running = new Map(this.eligible.map((model) => [model.id, model]));
    const needs = this.withOwn(request);
    return catalog.ids.flatMap((id) => {
      const model = running.get(id);
      const why = model ? (outOfPool(this.policy, model) ?? this.unmet(needs, model)) : 'no_instance';
      return why ? [{ model: id, why }] : [];
    });
  }

  /** For each need, how many of the models do not meet it; those that all meet are left out. */
  missing(request: RequestNeeds): readonly (readonly [need: string, models: number])[] {
    const { needs, ...sizes } = this.withOwn(request);
    const alone: [string, RequestNeeds, readonly string[]][] = [
      ...needsIn(needs).map((need): (typeof alone)[number] => [
        need,
        { ...NOTHING, needs: needSet(need) },
        [],
      ]),
      ...this.features.map((feature): (typeof alone)[number] => [feature, NOTHING, [feature]]),
      ['context', { ...sizes, needs: 0 }, []],
    ];
    return alone
      .map(([name, one, features]) => {
        const without = this.models.filter((model) => fitOf(one, model.abilities, features).kind === 'unmet');
        return [name, without.length] as const;
      })
      .filter(([, models]) => models > 0);
  }

  private sieve(request: RequestNeeds): Choice {
    const needs = this.withOwn(request);
    const able: Candidate[] = [];
    const unknown: Candidate[] = [];
    const left = new Map<ExclusionReason, number>();
    const leave = (why: ExclusionReason) => left.set(why, (left.get(why) ?? 0) + 1);
    this.out.forEach(leave);
    for (const ranked of this.models) {
      const fit = fitOf(needs, ranked.abilities, this.features);
      if (fit.kind === 'met') able.push({ model: ranked.id, why: 'ranked', ranked });
      else if (fit.kind === 'unknown') unknown.push({ model: ranked.id, why: fit.why, ranked });
      else leave(fit.why);
    }
    const spread = spreads(this.policy)
      ? new Spread([able, unknown].flatMap((part) => this.byWishes(part)))
      : undefined;
    return {
      candidates: [...able, ...unknown],
      left: [...left],
      excludedCounts: [...this.outside, ...left],
      spread,
    };
  }

  /** Those that meet the alias's wishes, those of which it is not known, and the rest. */
  private byWishes(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
    const classes = Map.groupBy(candidates, ({ ranked }) => ranked && wishClass(this.policy, ranked));
    return [...classes.values()];
  }

  private unmet(request: RequestNeeds, { abilities }: RankedModel): ExclusionReason | undefined {
    const fit = fitOf(request, abilities, this.features);
    return fit.kind === 'unmet' ? fit.why : undefined;
  }

  private withOwn(request: RequestNeeds): RequestNeeds {
    return this.ownNeeds === 0 ? request : { ...request, needs: request.needs | this.ownNeeds };
  }

  /** How many of the lengths are too short. */
  private stepOf(tokens: number): number {
    let step = 0;
    while (step < this.steps.length && (this.steps[step] as number) < tokens) step += 1;
    return step;
  }
}

function outOfPool(policy: AliasPolicy, { id, abilities }: RankedModel): ExclusionReason | undefined {
  if (givenBy(policy.models, id) === -1) return 'not_in_pool';
  const { max_price: max, min_context_tokens: least } = policy;
  if (max) {
    const { price } = abilities;
    if (
      !price ||
      price.prompt > (max.prompt ?? Infinity) ||
      price.completion > (max.completion ?? Infinity)
    ) {
      return 'over_price';
    }
  }
  return least > 0 && !((abilities.contextTokens ?? 0) >= least) ? 'context_too_small' : undefined;
}
