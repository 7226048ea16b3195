# mxdrill in a small image.
#
#   docker build .                                          compiles it (needs the rust image)
#   docker build --target given .                           takes target/mxdrill, built on this machine (same or older glibc)
FROM debian:bookworm-slim AS base
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/aux-cache
EXPOSE 25 8025
USER 65532:65532
ENTRYPOINT ["mxdrill"]
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s CMD ["mxdrill", "healthcheck"]

FROM base AS given
COPY target/mxdrill /usr/local/bin/mxdrill

FROM rust:1.95-slim-bookworm AS compiler
WORKDIR /src
COPY . .
RUN cargo build --release --locked && cp target/release/mxdrill /mxdrill

FROM base AS built
COPY --from=compiler /mxdrill /usr/local/bin/mxdrill
