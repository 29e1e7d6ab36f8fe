# One image for every service: what differs is the program that CMD names, and the environment.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# Only the manifests, so that the packages are installed anew when they change and not whenever a source does.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete && find . -type d -empty -delete

FROM ${NODE_IMAGE}
WORKDIR /app
COPY --from=manifests /app ./
# npm ci links the workspaces instead of copying them: Node runs .ts files only outside of node_modules. The image's own Node runs them,
# so the pinned npm package `node` need not fetch one, and no other package needs its install script.
RUN npm ci --omit=dev --ignore-scripts --loglevel=error --engine-strict=false $(ls -d services/*/ | sed 's|^|-w |') && npm cache clean --force 2>/dev/null
COPY libs libs
COPY services services
COPY deploy/local deploy/local
COPY deploy/compose deploy/compose
# The folders are here so that volumes mounted on them belong to the user who uses them.
RUN mkdir -p /run/yunshi /var/lib/yunshi && chown node:node /run/yunshi /var/lib/yunshi
USER node
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["node", "deploy/compose/healthy.mjs"]
# Secrets may come as a file of environment variables rather than in the container's configuration, where `docker inspect` shows them.
ENTRYPOINT ["node", "--env-file-if-exists=/run/yunshi/service.env", "--import", "@yunshi/telemetry/register"]
CMD ["services/gateway/src/main.ts"]
