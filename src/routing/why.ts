/** A need of which the catalog does not say whether the model meets it: a need's name, a feature's, or `context`. */
export type UnknownReason = `unknown_${string}`;

/** Why a model is a candidate at its place. */
export type Why =
  | 'ranked' // an alias chose it
  | 'listed' // the client named it in a list
  | 'direct' // the client named it alone
  | 'pinned' // the client's last answer came from it
  | 'cooling' // it has just failed again and again, so that others come first
  | 'avoided' // it has told the client that it is full, so that others come first
  | UnknownReason; // an alias chose it after those that surely can

/** Why a model of the catalog is no candidate. */
export type ExclusionReason =
  | 'no_instance' // nothing runs that could answer
  | 'not_in_pool' // no pattern of the alias gives it
  | 'over_price' // its price is above the alias's, or unknown
  | `lacks_${string}` // a need, or a feature of the alias's
  | 'context_too_small'
  | 'not_confidential';
