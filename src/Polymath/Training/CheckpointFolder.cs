using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Training;

/// <summary>What a checkpoint holds beside the three flat memories.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="LossSum">Decaying sum of the losses behind the smoothed loss.</param>
/// <param name="ValidationLoss">Last measured, or null.</param>
/// <param name="Plan">The plan, as <see cref="TrainingPlan.Describe"/> gives it.</param>
public sealed record CheckpointState(int Step, double LossSum, double? ValidationLoss, IReadOnlyDictionary<string, string> Plan);

/// <summary>
/// The folder of checkpoints beside a model. Each is a data file (weights and both moments) and a manifest with its
/// SHA-256. The manifest is written last: whatever the instant of a crash, a manifest that is there belongs to data that
/// is whole on disk. The last two are kept, and a damaged one is passed over for the one before. One process at a time.
/// </summary>
public sealed class CheckpointFolder : IDisposable
{
    private const int Kept = 2;
    private const int BlockFloats = 1 << 20;

    private readonly FileStream _lock;

    /// <summary>Opens or makes the folder, locks it, and removes what crashes left behind.</summary>
    /// <exception cref="TrainingException">Another process trains this model.</exception>
    public CheckpointFolder(string path)
    {
        Path = path;
        Directory.CreateDirectory(path);
        try
        {
            _lock = new FileStream(Combine("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new TrainingException($"{path}: another process is training this model", e);
        }

        RemoveOrphans();
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>A file that holds the vocabulary of the run.</summary>
    public string VocabularyPath => Combine("vocabulary.gguf");

    /// <summary>True when there is a manifest to go on from.</summary>
    public bool HasAny => Manifests().Any();

    /// <summary>Removes all checkpoints.</summary>
    public void Clear()
    {
        foreach (string manifest in Manifests())
            File.Delete(manifest);
        AtomicFile.SyncFolder(Path);
        foreach (string data in Directory.GetFiles(Path, "step-*.data"))
            File.Delete(data);
        File.Delete(VocabularyPath);
    }

    /// <summary>Writes a checkpoint; when it returns, the checkpoint survives a loss of power.</summary>
    /// <param name="state">Step and plan.</param>
    /// <param name="memories">Weights, first and second moments.</param>
    public void Save(CheckpointState state, params ReadOnlySpan<Tensor> memories)
    {
        ArgumentNullException.ThrowIfNull(state);
        string name = string.Create(CultureInfo.InvariantCulture, $"step-{state.Step:D9}");
        string digest = "";
        Tensor[] parts = memories.ToArray();
        AtomicFile.Write(Combine(name + ".data"), stream => digest = WriteData(stream, parts));
        AtomicFile.Write(Combine(name + ".json"), stream => WriteManifest(stream, name + ".data", digest, state));
        foreach (string old in Manifests().Skip(Kept))
            Delete(old);
    }

    /// <summary>Reads the newest whole checkpoint into <paramref name="memories"/>; null when there is none at all.</summary>
    /// <param name="check">Sees the state before the memories are touched; may refuse it by throwing.</param>
    /// <param name="warn">Hears of checkpoints that were passed over.</param>
    /// <param name="memories">As given to <see cref="Save"/>, of the same sizes.</param>
    /// <exception cref="TrainingException">There are checkpoints, but none that is whole.</exception>
    public CheckpointState? Load(Action<CheckpointState> check, Action<string> warn, params ReadOnlySpan<Tensor> memories)
    {
        ArgumentNullException.ThrowIfNull(check);
        ArgumentNullException.ThrowIfNull(warn);
        var damaged = new List<string>();
        foreach (string manifest in Manifests())
        {
            if (TryRead(manifest, check, memories) is not { } state)
            {
                damaged.Add(manifest);
                continue;
            }

            foreach (string newer in damaged)
            {
                warn($"{newer}: damaged; going on from step {state.Step}");
                Delete(newer);
            }

            return state;
        }

        return damaged.Count == 0 ? null
            : throw new TrainingException($"{damaged[^1]}: damaged, and no other checkpoint is whole (--overwrite starts anew)");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lock.Dispose();
        // A run that failed before its first checkpoint leaves nothing behind.
        if (Directory.GetFileSystemEntries(Path) is [var only] && only == Combine("lock"))
            Directory.Delete(Path, recursive: true);
    }

    private static CheckpointState? TryRead(string manifest, Action<CheckpointState> check, ReadOnlySpan<Tensor> memories)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(manifest));
            JsonElement o = document.RootElement;
            var state = new CheckpointState(
                o.GetProperty("step").GetInt32(), o.GetProperty("loss_sum").GetDouble(),
                o.TryGetProperty("validation_loss", out JsonElement v) ? v.GetDouble() : null,
                o.GetProperty("plan").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? ""));
            string path = System.IO.Path.ChangeExtension(manifest, ".data"), digest = o.GetProperty("sha256").GetString() ?? "";
            if (Digest(path) != digest)
                return null;
            check(state);
            return ReadData(path, memories) ? state : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or IOException or ArgumentException)
        {
            return null;
        }
    }

    private static void Delete(string manifest)
    {
        File.Delete(manifest);   // first: data without a manifest is no checkpoint
        File.Delete(System.IO.Path.ChangeExtension(manifest, ".data"));
    }

    private static string Digest(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static string WriteData(Stream stream, Tensor[] memories)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Tensor memory in memories)
        {
            Span<float> values = memory.AsFloats();
            for (int i = 0; i < values.Length; i += BlockFloats)
            {
                Span<float> block = values.Slice(i, Math.Min(BlockFloats, values.Length - i));
                ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(block);
                byte[]? swapped = BitConverter.IsLittleEndian ? null : Swap(block);
                hash.AppendData(swapped ?? bytes);
                stream.Write(swapped ?? bytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Swap(ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        return bytes;
    }

    private static bool ReadData(string path, ReadOnlySpan<Tensor> memories)
    {
        using FileStream stream = File.OpenRead(path);
        long expected = 0;
        foreach (Tensor memory in memories)
            expected += memory.ByteLength;
        if (stream.Length != expected)
            return false;
        foreach (Tensor memory in memories)
        {
            Span<float> values = memory.AsFloats();
            for (int i = 0; i < values.Length; i += BlockFloats)
            {
                Span<float> block = values.Slice(i, Math.Min(BlockFloats, values.Length - i));
                stream.ReadExactly(MemoryMarshal.AsBytes(block));
                if (!BitConverter.IsLittleEndian)
                {
                    foreach (ref float value in block)
                        value = BitConverter.Int32BitsToSingle(BinaryPrimitives.ReverseEndianness(BitConverter.SingleToInt32Bits(value)));
                }
            }
        }

        return true;
    }

    private static void WriteManifest(Stream stream, string data, string digest, CheckpointState state)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteNumber("step", state.Step);
        json.WriteString("data", data);
        json.WriteString("sha256", digest);
        json.WriteNumber("loss_sum", state.LossSum);
        if (state.ValidationLoss is { } loss)
            json.WriteNumber("validation_loss", loss);
        json.WriteStartObject("plan");
        foreach ((string name, string value) in state.Plan)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Paths of the manifests, the newest first.</summary>
    private IEnumerable<string> Manifests() => Directory.GetFiles(Path, "step-*.json").OrderDescending(StringComparer.Ordinal);

    private void RemoveOrphans()
    {
        // The lock is ours: temporary files belong to nobody alive, and data without a manifest never became a checkpoint.
        foreach (string temporary in Directory.GetFiles(Path, ".*.tmp"))
            File.Delete(temporary);
        foreach (string data in Directory.GetFiles(Path, "step-*.data"))
        {
            if (!File.Exists(System.IO.Path.ChangeExtension(data, ".json")))
                File.Delete(data);
        }
    }

    private string Combine(string name) => System.IO.Path.Combine(Path, name);
}
