/** What JSON and YAML hold. */
export type Tree = string | number | boolean | null | Tree[] | { [key: string]: Tree };
/** The keys and numbers that lead to a leaf. */
export type Path = readonly (string | number)[];

/** The same tree with other leaves and, where that is given, other keys. */
export function mapped(
  tree: Tree,
  ofLeaf: (leaf: Tree, path: Path) => Tree,
  ofKey: (key: string, path: Path) => string = (key) => key,
  path: Path = [],
): Tree {
  if (Array.isArray(tree)) return tree.map((item, n) => mapped(item, ofLeaf, ofKey, [...path, n]));
  if (tree === null || typeof tree !== 'object') return ofLeaf(tree, path);
  const entries = Object.entries(tree).map(([key, value]) => [
    ofKey(key, path),
    mapped(value, ofLeaf, ofKey, [...path, key]),
  ]);
  return Object.fromEntries(entries) as Tree;
}

/** The ways to all leaves. */
export function leavesOf(tree: Tree): Path[] {
  const paths: Path[] = [];
  mapped(tree, (leaf, path) => {
    paths.push(path);
    return leaf;
  });
  return paths;
}

/** The first with all that the second has; lists are not merged. */
export function merged(one: Tree, other: Tree): Tree {
  if (!isMap(one) || !isMap(other)) return other;
  const both = Object.entries(other).map(([key, value]) => [key, merged(one[key] ?? null, value)]);
  return { ...one, ...(Object.fromEntries(both) as Record<string, Tree>) };
}

function isMap(tree: Tree): tree is { [key: string]: Tree } {
  return tree !== null && typeof tree === 'object' && !Array.isArray(tree);
}
