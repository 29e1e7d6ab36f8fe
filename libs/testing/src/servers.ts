/** Starts the servers of a test run. */
export default function setup(): void {}
