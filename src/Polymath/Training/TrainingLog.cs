using System.Globalization;
using System.Text.Json;

namespace Polymath.Training;

/// <summary>A line of the log.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Loss">Smoothed training loss.</param>
/// <param name="ValidationLoss">Null where it was not measured.</param>
public readonly record struct LogPoint(int Step, long Tokens, double Loss, double? ValidationLoss);

/// <summary>
/// The machine-readable log: one JSON object a line. It holds each step once, however often a run was interrupted:
/// opening it drops what lies behind the checkpoint that the run goes on from.
/// </summary>
public sealed class TrainingLog : IDisposable
{
    private readonly FileStream _stream;
    private readonly MemoryStream _line = new();
    private readonly List<LogPoint> _points = [];

    /// <summary>Opens the log and keeps the lines up to <paramref name="lastStep"/>.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public TrainingLog(string path, int lastStep)
    {
        _stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        _stream.SetLength(Keep(lastStep));
        _stream.Position = _stream.Length;
    }

    /// <summary>All lines.</summary>
    public IReadOnlyList<LogPoint> Points => _points;

    /// <summary>Adds a line.</summary>
    public void Add(TrainingProgress p)
    {
        ArgumentNullException.ThrowIfNull(p);
        _line.SetLength(0);
        using (var json = new Utf8JsonWriter(_line))
        {
            json.WriteStartObject();
            json.WriteNumber("step", p.Step);
            json.WriteNumber("tokens", p.Tokens);
            json.WriteNumber("loss", p.Loss);
            json.WriteNumber("smoothed_loss", p.SmoothedLoss);
            if (p.ValidationLoss is { } validation)
                json.WriteNumber("validation_loss", validation);
            json.WriteNumber("learning_rate", p.LearningRate);
            json.WriteNumber("gradient_norm", p.GradientNorm);
            json.WriteNumber("tokens_per_second", Math.Round(p.TokensPerSecond, 1));
            json.WriteString("time", DateTime.UtcNow.ToString("s", CultureInfo.InvariantCulture) + "Z");
            if (p.Sample is not null)
                json.WriteString("sample", p.Sample);
            json.WriteEndObject();
        }

        _line.WriteByte((byte)'\n');
        _stream.Write(_line.GetBuffer(), 0, (int)_line.Length);
        _stream.Flush();
        _points.Add(new LogPoint(p.Step, p.Tokens, p.SmoothedLoss, p.ValidationLoss));
    }

    /// <summary>Makes what was added durable.</summary>
    public void Sync() => _stream.Flush(flushToDisk: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        _line.Dispose();
    }

    /// <summary>Reads the leading lines that are whole, in order and not behind <paramref name="lastStep"/>; returns their bytes.</summary>
    private long Keep(int lastStep)
    {
        byte[] all = new byte[_stream.Length];
        _stream.ReadExactly(all);
        int end = 0, previous = 0;
        while (end < all.Length)
        {
            int length = all.AsSpan(end).IndexOf((byte)'\n');
            if (length < 0 || Parse(all.AsMemory(end, length)) is not { } point || point.Step <= previous || point.Step > lastStep)
                break;
            _points.Add(point);
            previous = point.Step;
            end += length + 1;
        }

        return end;
    }

    private static LogPoint? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement o = document.RootElement;
            return new LogPoint(
                o.GetProperty("step").GetInt32(), o.GetProperty("tokens").GetInt64(), o.GetProperty("smoothed_loss").GetDouble(),
                o.TryGetProperty("validation_loss", out JsonElement v) ? v.GetDouble() : null);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
