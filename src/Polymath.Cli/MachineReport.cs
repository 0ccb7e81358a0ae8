using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Polymath.Hub;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>What this machine can do, as text and as JSON.</summary>
/// <param name="Cores">Its processors.</param>
/// <param name="Memory">Its memory.</param>
/// <param name="Speed">Measured.</param>
/// <param name="Models">Folder where pulled models are kept.</param>
internal sealed record MachineReport(MachineCores Cores, MachineMemory Memory, MachineSpeed Speed, string Models)
{
    private static string System => RuntimeInformation.OSDescription;

    private static string Architecture => RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static bool IsAheadOfTime => !RuntimeFeature.IsDynamicCodeCompiled;

    /// <summary>How this program was compiled, as JSON says it: aot or jit.</summary>
    public static string Compiled => IsAheadOfTime ? "aot" : "jit";

    /// <summary>The kernels in use.</summary>
    /// <exception cref="PlatformNotSupportedException">The environment asks for some that do not run here.</exception>
    public static string Kernels => Cpu.InstructionSet.ToString().ToLowerInvariant();

    private static long CacheBytes { get; } = Processor.LastLevelCacheBytes();

    /// <summary>Looks and measures.</summary>
    /// <param name="threads">Threads to measure with; 0 for one per processor.</param>
    /// <param name="terminal">Gives the memory and the environment.</param>
    /// <exception cref="PlatformNotSupportedException">The environment asks for kernels that do not run here.</exception>
    public static MachineReport Make(int threads, Terminal terminal)
    {
        _ = Cpu.InstructionSet;
        MachineMemory memory = terminal.Memory();
        using var team = new ThreadTeam(threads == 0 ? Environment.ProcessorCount : threads);
        MachineSpeed speed = MachineSpeed.Measure(team, memory.Free);
        return new MachineReport(MachineCores.Read(), memory, speed, HubOptions.FromEnvironment(terminal.Variable).Folder);
    }

    /// <summary>Tokens a second at which memory bandwidth bounds decoding; null where what a token reads stays in the caches.</summary>
    public double? TokensPerSecond(long bytesPerToken) =>
        bytesPerToken > CacheBytes ? Speed.ReadTeam / bytesPerToken : null;

    /// <summary>Name and value of each fact.</summary>
    public IEnumerable<(string Name, string Value)> Facts(Terminal terminal)
    {
        yield return ("system", $"{System}, {Architecture}");
        yield return ("runtime", $"{RuntimeInformation.FrameworkDescription}, {(IsAheadOfTime ? "compiled ahead of time" : "JIT")}");
        yield return ("processor", Processor.Name ?? "not named");
        yield return ("cores", CoresText());
        yield return ("instructions", Processor.Instructions.Count == 0 ? "the baseline alone" : string.Join(" ", Processor.Instructions));
        yield return ("kernels", KernelsText(terminal));
        if (CacheBytes > 0)
            yield return ("last cache", Figures.Bytes(CacheBytes));
        yield return ("memory", $"{Figures.Bytes(Memory.Total)}{(Memory.IsLimited ? " in this container" : "")}, {Figures.Bytes(Memory.Free)} free");
        if (HugePages.Setting() is { } pages)
            yield return ("huge pages", pages);
        yield return ("reading", Pair(Speed.ReadAlone / 1e9, Speed.ReadTeam / 1e9, "GB/s"));
        yield return ("computing", Pair(Speed.FlopsAlone / 1e9, Speed.FlopsTeam / 1e9, "GFLOP/s") + " (F32 multiply-adds)");
        yield return ("models", ModelCache.FreeBytes(Models) is >= 0 and var free ? $"{Short(Models)}, {Figures.Bytes(free)} free" : Short(Models));
    }

    /// <summary>Writes the facts as an object under a name.</summary>
    public void Write(Utf8JsonWriter writer, string name, Terminal terminal)
    {
        writer.WriteStartObject(name);
        writer.WriteString("system", System);
        writer.WriteString("architecture", Architecture);
        writer.WriteString("runtime", RuntimeInformation.FrameworkDescription);
        writer.WriteString("compiled", Compiled);
        writer.WriteString("processor", Processor.Name);
        writer.WriteNumber("cores", Cores.Usable);
        writer.WriteNumber("cores_of_machine", Cores.Machine);
        if (Cores.Limit is { } limit)
            writer.WriteNumber("core_limit", limit);
        writer.WriteStartArray("instructions");
        foreach (string set in Processor.Instructions)
            writer.WriteStringValue(set);
        writer.WriteEndArray();
        writer.WriteString("kernels", Kernels);
        writer.WriteBoolean("avx512_unused", Cpu.LeavesAvx512Unused);
        writer.WriteBoolean("kernels_forced", terminal.Variable(Cpu.Variable) is { Length: > 0 });
        writer.WriteNumber("last_level_cache", CacheBytes);
        writer.WriteNumber("memory", Memory.Total);
        writer.WriteNumber("memory_free", Memory.Free);
        writer.WriteBoolean("memory_limited", Memory.IsLimited);
        writer.WriteString("huge_pages", HugePages.Setting());
        writer.WriteNumber("threads", Speed.Threads);
        writer.WriteNumber("read_bytes_per_second_1_thread", Math.Round(Speed.ReadAlone));
        writer.WriteNumber("read_bytes_per_second", Math.Round(Speed.ReadTeam));
        writer.WriteNumber("flops_1_thread", Math.Round(Speed.FlopsAlone));
        writer.WriteNumber("flops", Math.Round(Speed.FlopsTeam));
        writer.WriteString("models", Models);
        if (ModelCache.FreeBytes(Models) is >= 0 and var free)
            writer.WriteNumber("models_free", free);
        writer.WriteEndObject();
    }

    private static string KernelsText(Terminal terminal)
    {
        if (terminal.Variable(Cpu.Variable) is { Length: > 0 })
            return $"{Kernels}, forced by {Cpu.Variable}";
        return Cpu.LeavesAvx512Unused ? $"{Kernels}; the chip has AVX-512, which this program {(IsAheadOfTime ? "was published without" : "was told to leave")}" : Kernels;
    }

    private string CoresText()
    {
        string text = Figures.Count(Cores.Usable);
        if (Cores.Machine != Cores.Usable)
            text += $" of {Figures.Count(Cores.Machine)} in the machine";
        return Cores.Limit is { } limit ? string.Create(CultureInfo.InvariantCulture, $"{text}, the container allows {limit:0.##}") : text;
    }

    private string Pair(double alone, double team, string unit)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{alone:0.0} {unit} with 1 thread");
        return Speed.Threads == 1 ? text : string.Create(CultureInfo.InvariantCulture, $"{text}, {team:0.0} with {Speed.Threads}");
    }

    /// <summary>A path in the home folder as people write it.</summary>
    private static string Short(string path)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return !OperatingSystem.IsWindows() && home.Length > 1 && path.StartsWith(home + "/", StringComparison.Ordinal) ? "~" + path[home.Length..] : path;
    }
}
