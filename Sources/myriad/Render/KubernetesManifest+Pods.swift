extension KubernetesManifest {
    /// What all pods of a job share, up to their containers.
    ///
    /// - Parameters:
    ///   - keys: the files of the Secret that this role may see.
    ///   - writesRuns: whether it has the run directories.
    func pod(_ component: String, restart: String, keys: [String], writesRuns: Bool, container: String) -> String {
        """
        metadata:
          labels:
        \(labels(component, indent: 4))
        spec:
          restartPolicy: \(restart)
          terminationGracePeriodSeconds: \(Self.grace)
          automountServiceAccountToken: false
          # Kubernetes' variables for Services would look like Myriad's own.
          enableServiceLinks: false
          securityContext:
            runAsNonRoot: true
            runAsUser: \(Self.user)
            runAsGroup: \(Self.user)
            fsGroup: \(Self.user)
            fsGroupChangePolicy: OnRootMismatch
            seccompProfile: {type: RuntimeDefault}
          containers:
        \(Self.block(container, indent: 4))
          volumes:
            - name: keys
              secret:
                secretName: \(Self.quoted(secret))
                defaultMode: 0440 # root's, read by this pod's group alone: looser modes are refused
                items:
        \(keys.map { "          - {key: \($0), path: \($0)}" }.joined(separator: "\n"))
            - name: data
              persistentVolumeClaim: {claimName: \(Self.quoted(options.dataClaim)), readOnly: true}\(writesRuns ? runs : "")\(component == "scheduler" ? config : "")
        """
    }

    private var runs: String {
        """

            - name: runs
              persistentVolumeClaim: {claimName: \(Self.quoted(options.runsClaim))}
        """
    }

    private var config: String {
        """

            - name: config
              configMap: {name: \(Self.quoted("\(name)-config"))}
        """
    }

    /// The image, which is pulled only where it is missing: one that was built on the node is in no registry.
    var image: String {
        """
        image: \(Self.quoted(options.image))
        imagePullPolicy: IfNotPresent
        """
    }

    /// What a container may do: nothing but its work.
    var security: String {
        """
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL]}
        """
    }

    var dataMount: String {
        let path = options.dataPath.isEmpty ? "" : ", subPath: \(Self.quoted(options.dataPath))"
        return "- {name: data, mountPath: /data\(path), readOnly: true}"
    }

    /// How exit codes of Myriad are understood.
    ///
    /// A wrong command line, config or key stays wrong; a pod that was told to end left a checkpoint and comes back without
    /// being counted; everything else counts towards the limit.
    func failurePolicy(limit: Int, container: String) -> String {
        """
        backoffLimit: \(limit)
        podFailurePolicy:
          rules:
            # 64: wrong command line; 65: wrong config, data or checkpoint; 77: wrong keys. Trying again does not help.
            - action: FailJob
              onExitCodes: {containerName: \(container), operator: In, values: [64, 65, 77]}
            # The node was drained or the pod had to make room: it comes back, and that does not count.
            - action: Ignore
              onPodConditions:
                - {type: DisruptionTarget, status: "True"}
            # 143: told to end, and did so after a checkpoint.
            - action: Ignore
              onExitCodes: {containerName: \(container), operator: In, values: [143]}
            # All others (69: unreachable, 70: failed, 137: killed, as for want of memory) count towards backoffLimit.
        """
    }

    /// The variables that servers and workers share.
    var nodeVariables: String {
        """
        - {name: MYRIAD_SCHEDULER, value: "tcp://\(cluster):\(Self.port)"}
        - {name: MYRIAD_JOB, value: \(Self.quoted(name))}
        - {name: MYRIAD_KEYS, value: /keys}
        # Told to stop before the job's end: not done, so that it is started again.
        - {name: MYRIAD_STOPPED_CODE, value: "143"}
        """
    }

    /// Asks whether the process may run at all, and leaves its sockets alone: the scheduler watches what it does.
    var processProbe: String {
        """
        livenessProbe:
          exec: {command: [grep, -qE, "^State:.[RS]", /proc/1/status]}
          periodSeconds: 20
          failureThreshold: 6
        """
    }
}
