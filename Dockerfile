# tenantgate beside Envoy, as a container: `docker build -t tenantgate .`
#
#   docker run -v $PWD/policy:/etc/tenantgate:ro -v gate:/run/tenantgate tenantgate
#
# It serves on /run/tenantgate/gate.sock, which Envoy shares as a volume, and probes and metrics on port 9002. Images are pinned by
# version; where your supply chain asks for more, pin them by digest too (`docker buildx imagetools inspect node:…`).
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
# Only what says which packages there are: the layer with them stays as it is while sources change.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
# What users get from the registry is what runs here: the package, and the packages that it needs to run.
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts \
 && npm pack --ignore-scripts \
 && mkdir /tenantgate \
 && tar -xzf tenantgate-*.tgz -C /tenantgate --strip-components=1 \
 && mv node_modules /tenantgate/

FROM node:24.21.0-bookworm-slim AS runtime
COPY --from=build /tenantgate /opt/tenantgate
# The folders of the policy and of the socket; volumes mounted there for the first time take over who owns them.
RUN mkdir -p /etc/tenantgate /run/tenantgate \
 && chown node:node /etc/tenantgate /run/tenantgate \
 && chmod 0750 /etc/tenantgate /run/tenantgate
ENV NODE_ENV=production \
    TENANTGATE_POLICY=/etc/tenantgate/tenantgate.yaml \
    TENANTGATE_LISTEN=unix:/run/tenantgate/gate.sock \
    TENANTGATE_HTTP=0.0.0.0:9002
WORKDIR /opt/tenantgate
# `node` of the base image, by its number, so that an orchestrator can see that it is not root.
USER 1000:1000

# What docker-compose.yml needs besides: the demo's backends and its credentials' generator.
FROM runtime AS demo
COPY --from=build /build/demo /opt/tenantgate/demo
COPY --from=build /build/dist/demo /opt/tenantgate/dist/demo

FROM runtime AS sidecar
EXPOSE 9002
# Signals go to it directly, not through npx or a shell: SIGTERM drains.
ENTRYPOINT ["node", "/opt/tenantgate/dist/cli/main.js"]
CMD ["serve"]
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9002/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
