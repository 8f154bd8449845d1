import { createHash } from 'node:crypto';
import { detailReply, type Reply } from '../answers/chutes-replies.js';
import { uuid } from '../seeded.js';
import type { ModelEntry } from './simulated-models.js';

/**
 * The answer to `GET /chutes/{id or name}/evidence?nonce=`.
 *
 * @param chute undefined for one that nobody knows
 * @param nonce null when the query has none
 * @param teePlace the place of the chute among those that are TEE: the first of every four gives evidence, the
 *   last one's attestation fails, the others' runtime is too old
 */
export function evidenceReply(chute: ModelEntry | undefined, nonce: string | null, teePlace: number): Reply {
  if (nonce === null) {
    return detailReply(422, [
      { type: 'missing', loc: ['query', 'nonce'], msg: 'Field required', input: null },
    ]);
  }
  if (!/^[0-9a-f]{64}$/i.test(nonce)) {
    return detailReply(400, `Nonce must be exactly 64 hex characters (32 bytes), got ${nonce.length}`);
  }
  if (chute === undefined) {
    return detailReply(404, 'Chute not found or you are not authorized to access it.');
  }
  if (chute.confidential_compute !== true) {
    return detailReply(400, `Chute ${chute.chute_id} is not TEE-enabled`);
  }
  if (teePlace % 4 === 3) {
    return detailReply(502, 'Failed to retrieve evidence from every instance.');
  }
  if (teePlace % 4 !== 0) {
    return detailReply(400, 'Instances requires chutes_version >= 0.6.0 to retrieve evidence.');
  }
  const evidence = [0, 1].map((index) => instanceEvidence(`${chute.id} ${index}`, nonce));
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ evidence, failed_instance_ids: [] }),
  };
}

function instanceEvidence(key: string, nonce: string): Readonly<Record<string, unknown>> {
  const bytes = (what: string, outputLength: number) =>
    createHash('shake256', { outputLength }).update(`${what} ${key} ${nonce}`).digest('base64');
  return {
    instance_id: uuid(`instance ${key}`),
    quote: bytes('quote', 1024),
    certificate: bytes('certificate', 512),
    gpu_evidence: [0, 1].map((gpu) => ({
      arch: 'HOPPER',
      certificate: bytes(`gpu certificate ${gpu}`, 512),
      evidence: bytes(`gpu ${gpu}`, 1024),
    })),
  };
}
