# Two images of static binaries: no shell, no package, not root, nothing written.
#
#	docker build -t walrelay .                       the relay alone, what you deploy
#	docker build -t walrelay-demo --target demo .    with the demo's shop and consumer
#	docker buildx build --platform linux/amd64,linux/arm64 .    cross-compiled, no emulation
#
# The root file system may be read-only (docker run --read-only --cap-drop ALL):
# walrelay writes no file, its state is in PostgreSQL and Kafka. In a container it
# has to listen on all interfaces: WALRELAY_HTTP_LISTEN=:9187, and then with
# WALRELAY_HTTP_PASSWORD_FILE or WALRELAY_HTTP_TOKEN_FILE, or
# WALRELAY_HTTP_ALLOW_ANONYMOUS=true where the network keeps strangers out.
ARG GO_VERSION=1.26

# The compiler runs on the builder's own platform, whatever the image is for.
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS source
ENV CGO_ENABLED=0 GOFLAGS=-trimpath GOMODCACHE=/go/pkg/mod GOCACHE=/go/cache
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
# VERSION and COMMIT are what `walrelay version` and walrelay_build_info say.
ARG VERSION=devel
ARG COMMIT=unknown
ARG TARGETOS
ARG TARGETARCH
ENV GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    LDFLAGS="-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}"

FROM source AS build-demo
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/cache \
    go build -ldflags "${LDFLAGS}" -o /walrelay ./cmd/walrelay

FROM source AS build
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/cache \
    go build -tags nodemo -ldflags "${LDFLAGS}" -o /walrelay ./cmd/walrelay

# What both images share: certificate authorities and a user without a name.
FROM scratch AS base
ARG VERSION=devel
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="walrelay" \
      org.opencontainers.image.description="Relays a PostgreSQL outbox table to Kafka through a logical replication slot" \
      org.opencontainers.image.url="https://github.com/walrelay/walrelay" \
      org.opencontainers.image.source="https://github.com/walrelay/walrelay" \
      org.opencontainers.image.documentation="https://github.com/walrelay/walrelay/blob/main/docs/operations.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
COPY --from=source /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
WORKDIR /etc/walrelay
EXPOSE 9187
# SIGTERM flushes and confirms; give it 45 s, so that the next start repeats nothing.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/walrelay"]

# It has no health check: shop and consumer have no server.
FROM base AS demo
COPY --from=build-demo /walrelay /walrelay
CMD ["--help"]

# The last stage is the one built by default. It reads /etc/walrelay/walrelay.yaml
# where that is mounted, and the environment.
FROM base AS walrelay
COPY --from=build /walrelay /walrelay
# Asks /healthz with the same environment: it fails when only a restart helps, not
# when Kafka is away. The start takes as long as PostgreSQL needs.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/walrelay", "health"]
CMD ["run"]
