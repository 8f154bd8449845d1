import * as fc from 'fast-check';

/** The ways to write a character between the quotes of a JSON string. */
export function spellingsOf(char: string): string[] {
  const units = Array.from({ length: char.length }, (_, at) =>
    char.charCodeAt(at).toString(16).padStart(4, '0'),
  );
  const escaped = units.map((unit) => `\\u${unit}`).join('');
  const spellings = [
    JSON.stringify(char).slice(1, -1),
    escaped,
    escaped.toUpperCase().replaceAll('\\U', '\\u'),
  ];
  return char === '/' ? [...spellings, '\\/'] : spellings;
}

/** A string of JSON, any of its characters in any of its spellings. */
export function spelled(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(...Array.from(text, (char) => fc.constantFrom(...spellingsOf(char))))
    .map((chars) => `"${chars.join('')}"`);
}
