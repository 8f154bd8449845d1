import type { ModelList } from '../catalog/model-list.js';
import { ApiError } from '../openai/api-error.js';

const NONCE = /^[\da-f]{64}$/i;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** @param query as sent, without the `?`. @throws {ApiError} `invalid_nonce` */
export function nonceOf(query: string): string {
  const [nonce, ...others] = new URLSearchParams(query).getAll('nonce');
  if (nonce === undefined || others.length > 0 || !NONCE.test(nonce)) throw ApiError.invalidNonce();
  return nonce;
}

/**
 * The id of the chute that a client names by id or by model.
 *
 * @throws {ApiError} `model_not_found`, `not_confidential`
 */
export function chuteIdOf(idOrName: string, catalog: ModelList | undefined): string {
  const isId = UUID.test(idOrName);
  const model = isId
    ? catalog?.models.find(({ chuteId }) => chuteId?.toLowerCase() === idOrName.toLowerCase())
    : catalog?.byId.get(idOrName);
  const chuteId = isId ? idOrName : model?.chuteId;
  if (chuteId === undefined || !UUID.test(chuteId)) throw ApiError.modelNotFound();
  if (model?.abilities.isConfidential === false) throw ApiError.notConfidential();
  return chuteId;
}
