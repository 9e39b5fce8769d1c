# The kit and the reference server, each in an image of its own that holds the program and nothing else:
#
#   docker build --target kit -t chatspec .
#   docker build --target server -t chatspec-server .
#
# BUILDER is the image with the compiler. KIT_FEATURES=services builds the kit with what a target may need beside it, a
# MongoDB that is running and named by MONGODB_URI. BINARIES is where the files of both images come from: the stage that builds them,
# or an image that has them in /kit and /server, as scripts/rootfs.sh makes them.
ARG BUILDER=rust:1-bookworm
ARG BINARIES=build

FROM ${BUILDER} AS build
WORKDIR /src
COPY . .
ARG KIT_FEATURES=
RUN cargo build --release --locked --bin chatspec --features "${KIT_FEATURES}" \
    && cargo build --release --locked --bin chatspec-server \
    && scripts/rootfs.sh /kit target/release/chatspec \
    && scripts/rootfs.sh /server target/release/chatspec-server

FROM ${BINARIES} AS binaries

FROM scratch AS kit
COPY --from=binaries /kit/ /
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/chatspec"]

FROM scratch AS server
COPY --from=binaries /server/ /
USER 65532:65532
# The embedded store is below it, in chatspec-data.
WORKDIR /data
VOLUME /data
ENV CHATSPEC_LISTEN=0.0.0.0:4000
EXPOSE 4000
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/chatspec-server", "health"]
ENTRYPOINT ["/usr/local/bin/chatspec-server"]
