# Two images of static binaries, without a shell and not as root.
#
#	docker build -t walrelay .                       the relay alone, what you deploy
#	docker build -t walrelay-demo --target demo .    with the demo's shop and consumer
#
# There is no HEALTHCHECK: ask /healthz and /readyz on http.listen from outside.
# In a container listen on all interfaces: WALRELAY_HTTP_LISTEN=:9187.
ARG GO_VERSION=1.26

FROM golang:${GO_VERSION}-alpine AS source
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# VERSION and COMMIT are what `walrelay version` and walrelay_build_info say.
ARG VERSION=devel
ARG COMMIT=unknown
ENV CGO_ENABLED=0 GOFLAGS=-trimpath \
    LDFLAGS="-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}"

FROM source AS build-demo
RUN go build -ldflags "${LDFLAGS}" -o /walrelay ./cmd/walrelay

FROM source AS build
RUN go build -tags nodemo -ldflags "${LDFLAGS}" -o /walrelay ./cmd/walrelay

# What both images share: certificate authorities and a user without a name.
FROM scratch AS base
COPY --from=source /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
WORKDIR /etc/walrelay
EXPOSE 9187
ENTRYPOINT ["/walrelay"]

FROM base AS demo
COPY --from=build-demo /walrelay /walrelay
CMD ["--help"]

# The last stage is the one built by default. It reads /etc/walrelay/walrelay.yaml
# where that is mounted, and the environment.
FROM base AS walrelay
COPY --from=build /walrelay /walrelay
CMD ["run"]
