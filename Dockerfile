# syntax=docker/dockerfile:1
# One image for every role; ROLES says which of them a container plays.
FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Install scripts are not run: what the service depends on works without them.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8003
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json tsconfig.json LICENSE ./
COPY templates ./templates
COPY locales ./locales
COPY src ./src
# By number (the base image calls it node), so that a cluster can see that it is not root.
USER 1000:1000
EXPOSE 8003
STOPSIGNAL SIGTERM
# Liveness only: while Redis is away a container is not ready, and a restart would not help it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
