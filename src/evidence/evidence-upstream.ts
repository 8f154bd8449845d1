/** Injection token of the client that evidence is asked for with. Its connections are its own. */
export const EVIDENCE_UPSTREAM = Symbol('EvidenceUpstream');
