const declared = new Map();
/** Every saga declared by the modules imported so far, for the registry of a service and for generated documents. */
export const declaredSagas = () => [...declared.values()];
/** Begins the definition of a saga. Change of steps = new version beside the old one, because instances are in flight. */
export function saga(name, version, data) {
  const steps = [];
  const add = (kind) => (stepName, step) => {
    if (steps.some((other) => other.name === stepName)) throw new Error(`saga ${name} has two steps called '${stepName}'`);
    steps.push(Object.freeze({ name: stepName, kind, ...step }));
    return builder;
  };
  const end = () => {
    const finished = Object.freeze({ name, version, data, steps: Object.freeze(steps) });
    declared.set(`${name} v${version}`, finished);
    return finished;
  };
  const builder = { startedBy: add('compensable'), compensable: add('compensable'), pivot: add('pivot'), retriable: add('retriable'), end };
  return builder;
}
