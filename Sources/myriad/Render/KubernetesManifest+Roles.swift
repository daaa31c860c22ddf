import Job

extension KubernetesManifest {
    /// The only address that anybody needs.
    var schedulerService: String {
        """
        apiVersion: v1
        kind: Service
        \(metadata(cluster, "scheduler"))
        spec:
          # Servers and workers come before the job is ready: their coming makes it so.
          publishNotReadyAddresses: true
          selector:
        \(labels("scheduler", indent: 4))
          ports:
            - {name: control, port: \(Self.port), targetPort: control}
            - {name: page, port: \(Self.pagePort), targetPort: page}

        """
    }

    /// The scheduler; `--continue` makes its next pod go on from the newest checkpoint.
    var schedulerJob: String {
        """
        apiVersion: batch/v1
        kind: Job
        \(metadata(cluster, "scheduler"))
        spec:
        \(Self.block(failurePolicy(limit: 10, container: "scheduler"), indent: 2))
          template:
        \(Self.block(pod("scheduler", restart: "Never", keys: KubernetesKeys.ofScheduler, writesRuns: true, container: scheduler), indent: 4))

        """
    }

    private var scheduler: String {
        let overrides =
            options.overrides.filter { !$0.hasPrefix("cluster.servers=") && !$0.hasPrefix("cluster.workers=") } + [
                // What there are objects for, whatever the config says.
                "cluster.servers=\(options.config.cluster.servers)",
                "cluster.workers=\(options.config.cluster.workers)",
                // Pods arrive when their nodes and images are there.
                "cluster.start_timeout=1800", "data.directory=/data", "monitor.page=0.0.0.0:\(Self.pagePort)",
            ]
        let arguments =
            ["scheduler", "/config/job.yaml"] + overrides + [
                "--listen", "tcp://0.0.0.0:\(Self.port)", "--job", name, "--keys", "/keys", "--run", run,
                "--continue",
            ]
        return """
            - name: scheduler
            \(Self.block(image, indent: 2))
              command: [myriad]
              args:
            \(arguments.map { "    - \(Self.quoted($0))" }.joined(separator: "\n"))
              env:
                # The page shows itself only to those who know it.
                - name: MYRIAD_TOKEN
                  valueFrom: {secretKeyRef: {name: \(Self.quoted(secret)), key: token}}
              ports:
                - {name: control, containerPort: \(Self.port)}
                - {name: page, containerPort: \(Self.pagePort)}
              startupProbe:
                httpGet: {path: /healthz, port: page}
                periodSeconds: 5
                failureThreshold: 120
              livenessProbe:
                httpGet: {path: /healthz, port: page}
                periodSeconds: 10
                timeoutSeconds: 5
                failureThreshold: 6
              # Ready is a job that trains or has finished.
              readinessProbe:
                httpGet: {path: /readyz, port: page}
                periodSeconds: 5
              resources:
                # For the reports of every node, and for validation and test splits of up to 10 million samples.
                requests: {cpu: 500m, memory: \(Self.quoted(options.schedulerMemory))}
                limits: {memory: \(Self.quoted(options.schedulerMemory))}
            \(Self.block(security, indent: 2))
              volumeMounts:
                - {name: config, mountPath: /config, readOnly: true}
                - {name: keys, mountPath: /keys, readOnly: true}
            \(Self.block(dataMount, indent: 4))
                - {name: runs, mountPath: /runs}
            """
    }

    /// The headless Service that gives the servers' pods their names.
    var serverService: String {
        """
        apiVersion: v1
        kind: Service
        \(metadata("\(name)-server", "server"))
        spec:
          clusterIP: None
          publishNotReadyAddresses: true
          selector:
        \(labels("server", indent: 4))

        """
    }

    /// The servers: a pod's number is the server's rank.
    var servers: String {
        """
        apiVersion: apps/v1
        kind: StatefulSet
        \(metadata("\(name)-server", "server"))
        spec:
          serviceName: \(Self.quoted("\(name)-server"))
          replicas: \(options.config.cluster.servers)
          podManagementPolicy: Parallel
          selector:
            matchLabels:
        \(labels("server", indent: 6))
          template:
        \(Self.block(pod("server", restart: "Always", keys: KubernetesKeys.ofNodes, writesRuns: true, container: server), indent: 4))

        """
    }

    private var server: String {
        """
        - name: server
        \(Self.block(image, indent: 2))
          command: [myriad]
          args: [server]
          env:
        \(Self.block(nodeVariables, indent: 4))
            - name: MYRIAD_RANK
              valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}
            - {name: MYRIAD_SHARDS, value: "\(options.config.cluster.shards)"}
            - {name: MYRIAD_CHECKPOINTS, value: \(Self.quoted("\(run)/checkpoints"))}
            # A server comes back after every job; it may wait long for the next, or for `kubectl delete`.
            - {name: MYRIAD_WAIT, value: "86400"}
        \(Self.block(processProbe, indent: 2))
          resources:
            requests: {cpu: "\(options.config.cluster.shards)", memory: \(Self.quoted(options.serverMemory))}
            limits: {memory: \(Self.quoted(options.serverMemory))}
        \(Self.block(security, indent: 2))
          volumeMounts:
            - {name: keys, mountPath: /keys, readOnly: true}
        \(Self.block(dataMount, indent: 4))
            - {name: runs, mountPath: /runs}
        """
    }

    /// The workers: a worker's rank is its completion index, which Kubernetes tells it in JOB_COMPLETION_INDEX.
    var workers: String {
        """
        apiVersion: batch/v1
        kind: Job
        \(metadata("\(name)-worker", "worker"))
        spec:
          completionMode: Indexed
          completions: \(options.config.cluster.workers)
          parallelism: \(options.config.cluster.workers)
        \(Self.block(failurePolicy(limit: 10 * options.config.cluster.workers, container: "worker"), indent: 2))
          template:
        \(Self.block(pod("worker", restart: "Never", keys: KubernetesKeys.ofNodes, writesRuns: false, container: worker), indent: 4))

        """
    }

    private var worker: String {
        """
        - name: worker
        \(Self.block(image, indent: 2))
          command: [myriad]
          args: [worker]
          env:
        \(Self.block(nodeVariables, indent: 4))
            - {name: MYRIAD_WAIT, value: "1800"}
        \(Self.block(processProbe, indent: 2))
          resources:
            requests: {cpu: "\(options.config.cluster.threads)", memory: \(Self.quoted(options.workerMemory))}
            limits: {memory: \(Self.quoted(options.workerMemory))}
        \(Self.block(security, indent: 2))
          volumeMounts:
            - {name: keys, mountPath: /keys, readOnly: true}
        \(Self.block(dataMount, indent: 4))
        """
    }
}
