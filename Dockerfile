# syntax=docker/dockerfile:1

# The tag says which Node, the digest which bytes. The digest differs by registry and architecture list, so it comes
# from whoever builds: --build-arg NODE_DIGEST=sha256:… (docs/deployment.md says how to look it up). Without it the tag
# decides. NODE_IMAGE names a mirror (registry.example.com/library/node), and the build secret `npmrc`, which is not
# needed, a registry of packages.
ARG NODE_IMAGE=node
ARG NODE_TAG=26.10.0-bookworm-slim
ARG NODE_DIGEST=

FROM ${NODE_IMAGE}:${NODE_TAG}${NODE_DIGEST:+@${NODE_DIGEST}} AS base
WORKDIR /app
# As readable as the user of the image needs it, whatever the umask of the checkout.
COPY --chmod=0644 package.json package-lock.json ./

FROM base AS dependencies
# Node comes from the base image: the optional packages, which bring one for contributors, are not installed.
RUN --mount=type=cache,target=/root/.npm,sharing=locked --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM base AS build
RUN --mount=type=cache,target=/root/.npm,sharing=locked --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY assembly ./assembly
COPY src ./src
RUN node node_modules/assemblyscript/bin/asc.js --config assembly/asconfig.json && \
    node node_modules/@nestjs/cli/bin/nest.js build

FROM ${NODE_IMAGE}:${NODE_TAG}${NODE_DIGEST:+@${NODE_DIGEST}} AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/package.json ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --chmod=0644 deploy/container/healthcheck.mjs ./

# Last, since they differ from commit to commit.
ARG VERSION=0.1.0
ARG REVISION=unknown
# Seconds since 1970: BuildKit takes it for every time that it writes into the image.
ARG SOURCE_DATE_EPOCH
LABEL org.opencontainers.image.title="Chutes Autopilot" \
      org.opencontainers.image.description="An OpenAI-compatible router that sends each request to the Chutes model with the most free capacity." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Numeric, so that Kubernetes can tell that it is not root. The user needs no name and owns no file.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["node", "/app/healthcheck.mjs"]
# No shell and no init: Node is process 1, and the router handles SIGTERM and SIGINT itself.
ENTRYPOINT ["node", "--enable-source-maps", "--disable-sigusr1", "/app/dist/main.js"]
