/** The node types that the canvas draws by; filled once the catalogue is known. */
import { create } from 'zustand';
import type { NodeType } from '../api/queries';
import type { Shape } from '../graph/spec';

interface Shapes {
  types: NodeType[];
  byName: Map<string, NodeType>;
}
export const useShapes = create<Shapes>()(() => ({ types: [], byName: new Map() }));

export function setNodeTypes(types: NodeType[]): void {
  const byName = new Map<string, NodeType>();
  for (const each of types) for (const name of each.aliases) byName.set(name, each);
  for (const each of types) byName.set(each.type, each);
  useShapes.setState({ types, byName });
}

export function typeOf(name: string): NodeType | undefined {
  return useShapes.getState().byName.get(name.split('@')[0]!);
}
export const shapeOf = (name: string): Shape | undefined => typeOf(name);
