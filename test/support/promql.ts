/** What a Prometheus knows. */
export interface Vocabulary {
  /** Of metrics and labels. */
  readonly names: ReadonlySet<string>;
  readonly valuesOf: (label: string) => readonly string[];
}

const OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset']);
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;

/**
 * What an expression speaks of but Prometheus has not: names of metrics and labels, and values that labels are compared
 * with. Each alternative of a pattern is looked at by itself. Functions and grammar are Prometheus' own to check.
 */
export function unknownIn(expression: string, { names, valuesOf }: Vocabulary): string[] {
  const unknownNames = namesIn(expression).filter((name) => !names.has(name));
  const unknownValues = [...expression.matchAll(MATCHER)].flatMap(
    ([, label = '', operator = '', text = '']) => {
      const isPattern = operator.endsWith('~');
      return (isPattern ? text.split('|') : [text])
        .filter((one) => {
          const pattern = new RegExp(`^(?:${isPattern ? one : RegExp.escape(one)})$`);
          return !valuesOf(label).some((value) => pattern.test(value));
        })
        .map((one) => `${label}="${one}"`);
    },
  );
  return [...unknownNames, ...unknownValues];
}

/** The metrics and labels that an expression names: all words but those of strings, durations, functions and operators. */
export function namesIn(expression: string): string[] {
  const words = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .matchAll(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\w|\s*\(|\s+(?:by|without)\b)/g);
  return [...new Set([...words].map(([word]) => word))].filter((word) => !OPERATORS.has(word));
}
