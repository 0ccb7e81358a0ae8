using System.Diagnostics;
using System.Globalization;

namespace Polymath.Benchmarks;

/// <summary>An engine in a process of its own, which has loaded a model and answers lines with lines.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    /// <summary>Starts it and waits until the model is loaded.</summary>
    /// <exception cref="IOException">It ended, or does not speak the protocol; what it has to say is on standard error.</exception>
    public PeerProcess(string name, string program, params string[] arguments)
    {
        Name = name;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        _process = Process.Start(start) ?? throw new IOException($"{program} does not start");
        string first = ReadLine();
        Description = first.StartsWith("ready ", StringComparison.Ordinal) ? first[6..] : throw new IOException($"{name} began with: {first}");
    }

    /// <summary>For messages and results.</summary>
    public string Name { get; }

    /// <summary>What it says of itself: version, instructions in use.</summary>
    public string Description { get; }

    /// <summary>Of the process.</summary>
    public int Id => _process.Id;

    /// <summary>One question, one answer.</summary>
    /// <exception cref="IOException">It ended, or refused.</exception>
    public string Ask(string question)
    {
        _process.StandardInput.WriteLine(question);
        _process.StandardInput.Flush();
        return ReadLine();
    }

    /// <summary>Seconds that it measured.</summary>
    /// <exception cref="IOException">It ended, or refused.</exception>
    public double Measure(string command) => double.Parse(Ask(command), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000))
            _process.Kill();
        _process.Dispose();
    }

    private string ReadLine()
    {
        string line = _process.StandardOutput.ReadLine() ?? throw new IOException($"{Name} ended unexpectedly");
        return line.StartsWith("error", StringComparison.Ordinal) ? throw new IOException($"{Name}: {line}") : line;
    }
}
