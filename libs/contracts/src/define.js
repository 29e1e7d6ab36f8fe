const declared = new Map();
function declare(contract) {
  const key = `${contract.kind} ${contract.type} v${contract.version}`;
  if (declared.has(key)) throw new Error(`${key} is declared twice; the owner of a message declares it once`);
  declared.set(key, contract);
  return contract;
}
/** Every contract declared by the modules imported so far, for generated documents and checks. */
export const declaredContracts = () => [...declared.values()];
const owner = (type) => type.slice(0, type.indexOf('.'));
/** Declares a command of `<service>.<name>`. Its data and every answer it can get are part of the contract. */
export function command(type, version, spec) {
  const subject = `cmd.${type}.v${version}`;
  const reply = Object.fromEntries(
    Object.entries(spec.replies).map(([name, shape]) => [name, (data) => ({ reply: name, data: shape.parse(data) })]),
  );
  const create = (data) => ({ type, version, subject, data: spec.data.parse(data) });
  return declare(Object.assign(create, { kind: 'command', type, version, subject, service: owner(type), ...spec, reply }));
}
/** Declares an event of `<service>.<name>`. */
export function event(type, version, spec) {
  const subject = `evt.${type}.v${version}`;
  const create = (data) => ({ type, version, subject, data: spec.data.parse(data) });
  return declare(Object.assign(create, { kind: 'event', type, version, subject, service: owner(type), ...spec }));
}
/** Declares a query of `<service>.<name>`. */
export function query(type, version, spec) {
  return declare({ kind: 'query', type, version, subject: `qry.${type}.v${version}`, service: owner(type), ...spec });
}
