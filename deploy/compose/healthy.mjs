// The image's health check: ready is what the service itself says at /readyz.
const { PORT = '8080' } = process.env;
try {
  const response = await fetch(`http://127.0.0.1:${PORT}/readyz`, { signal: AbortSignal.timeout(3_000) });
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
