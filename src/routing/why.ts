/** Why a model is a candidate at its place. */
export type Why =
  | 'ranked' // an alias chose it
  | 'listed' // the client named it in a list
  | 'direct' // the client named it alone
  | 'pinned' // the client's last answer came from it
  | 'unknown_tools';

/** Why a model of the catalog is no candidate. */
export type ExclusionReason = 'no_instance'; // nothing runs that could answer
